"""Who sees every machine, by recorded answers and by rules that come close."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import List

import pytest

from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.opennebula.rights import (
    DOCUMENTS,
    GROUPS,
    HOSTS,
    IMAGES,
    MACHINES,
    TEMPLATES,
    Account,
    Rule,
    account_of,
    is_here,
    is_of_use,
    lets_group_use,
    rule_of,
    rule_to_add,
    sees_all,
)
from fedcloud_plugins.opennebula.streaming import element, elements, value_of

RECORDED = Path(__file__).resolve().parents[2] / "data" / "opennebula" / "wire"

ONE, GROUP, ALL, CLUSTER = 0x100000000, 0x200000000, 0x400000000, 0x800000000
VM, HOST = 0x1000000000, 0x2000000000
MINE = Account(6, "fedcloud-accounting", frozenset({1}))


def account(name: str) -> Account:
    return account_of(element(value_of([(RECORDED / name).read_bytes()], "oned"), "USER", "oned"))


def recorded_rules() -> List[Rule]:
    body = (RECORDED / "acl.info.xml").read_bytes()
    read = [rule_of(entry) for entry in elements(value_of([body], "oned"), "ACL_POOL", "oned")]
    rules = [rule for rule in read if rule is not None]
    assert len(rules) == len(read)
    return rules


def test_recorded_accounts() -> None:
    assert account("user.info_-1-oneadmin.xml").is_administrator
    assert account("user.info_-1-accounting-user.xml") == MINE
    plain = account("user.info_-1-plain-user.xml")
    assert plain == Account(7, "plain", frozenset({100}))
    rules = recorded_rules()
    assert len(rules) > 10
    assert sees_all(MINE, rules)
    assert not sees_all(plain, rules)


def test_a_member_of_oneadmins_group_sees_everything() -> None:
    user = ET.fromstring("<USER><ID>9</ID><GID>1</GID><GROUPS><ID>1</ID><ID>0</ID></GROUPS><NAME>x</NAME></USER>")
    assert account_of(user).is_administrator
    assert not MINE.is_administrator


@pytest.mark.parametrize(
    ("rule", "enough"),
    [
        (Rule(ONE | 6, VM | ALL, 1, ALL), True),
        (Rule(ONE | 6, VM | HOST | ALL, 15, ALL), True),
        (Rule(GROUP | 1, VM | ALL, 1, ALL), True),
        (Rule(ALL, VM | ALL, 1, None), True),
        (Rule(ONE | 7, VM | ALL, 1, ALL), False),
        (Rule(GROUP | 6, VM | ALL, 1, ALL), False),
        (Rule(ONE | 6, HOST | ALL, 1, ALL), False),
        (Rule(ONE | 6, VM | ALL, 2, ALL), False),
        (Rule(ONE | 6, VM | ALL, 8, ALL), False),
        (Rule(ONE | 6, VM | GROUP | 1, 1, ALL), False),
        (Rule(ONE | 6, VM | ONE | 4, 1, ALL), False),
        (Rule(ONE | 6, VM | CLUSTER | 100, 1, ALL), False),
        (Rule(ONE | 6, VM | ALL, 1, ONE | 100), False),
    ],
)
def test_only_a_rule_for_all_machines_of_all_zones_is_enough(rule: Rule, enough: bool) -> None:
    assert sees_all(MINE, [rule]) is enough


def test_a_rule_for_this_zone_is_enough_where_the_zone_is_known() -> None:
    rule = Rule(ONE | 6, VM | ALL, 1, ONE | 100)
    assert sees_all(MINE, [rule], zone=100)
    assert not sees_all(MINE, [rule], zone=0)


def test_each_kind_is_seen_by_a_right_of_its_own() -> None:
    rules = recorded_rules()
    for kind in (MACHINES, HOSTS, IMAGES, TEMPLATES, GROUPS):
        assert sees_all(MINE, rules, kind=kind)
    assert not sees_all(MINE, rules, kind=DOCUMENTS)


def test_what_a_rule_gives_to_a_group() -> None:
    # among the recorded ones is one that lets group 101 create machines, and those that let groups use networks
    assert not any(lets_group_use(rule, 101, TEMPLATES, 5, 0) for rule in recorded_rules())
    rule = Rule(GROUP | 101, TEMPLATES | ONE | 5, 1, ONE | 3)
    assert lets_group_use(rule, 101, TEMPLATES, 5, 0)
    assert not lets_group_use(rule, 101, TEMPLATES, 6, 5)
    assert not lets_group_use(rule, 101, IMAGES, 5, 0)
    assert not lets_group_use(rule._replace(rights=2), 101, TEMPLATES, 5, 0)
    assert not lets_group_use(rule._replace(user=ONE | 101), 101, TEMPLATES, 5, 0)
    assert lets_group_use(rule._replace(resource=TEMPLATES | GROUP | 0), 101, TEMPLATES, 5, 0)
    assert is_of_use(rule, TEMPLATES | HOSTS) and not is_of_use(rule, HOSTS)
    assert is_here(rule, 3) and not is_here(rule, 0) and not is_here(rule, None)
    assert is_here(rule._replace(zone=None), None) and is_here(rule._replace(zone=ALL), None)


def test_odd_rules_grant_nothing_and_odd_accounts_are_refused() -> None:
    assert rule_of(ET.fromstring("<ACL><USER>zz</USER></ACL>")) is None
    assert rule_of(ET.fromstring("<ACL/>")) is None
    with pytest.raises(RemoteDataError):
        account_of(ET.fromstring("<USER><ID/></USER>"))


def test_the_rule_to_add_names_the_account() -> None:
    assert '"#6 VM+' in rule_to_add(MINE)
    assert rule_to_add(MINE).endswith('GROUP/* USE *"')
    assert rule_to_add(MINE, "+DOCUMENT").endswith('GROUP+DOCUMENT/* USE *"')
