"""Which groups may use a thing, by its permissions and by rules."""

from __future__ import annotations

from typing import FrozenSet, List, Set
from xml.etree.ElementTree import fromstring

import pytest

from fedcloud_plugins.opennebula.description.permissions import Access, access_of, users_among
from fedcloud_plugins.opennebula.rights import IMAGES, TEMPLATES, Rule
from tests.unit.opennebula.description.lists import template

ONE, GROUP, ALL, CLUSTER = 0x100000000, 0x200000000, 0x400000000, 0x800000000
VOS: FrozenSet[int] = frozenset({100, 101, 102})
PRIVATE = Access(7, 0, 100, by_group=False, by_all=False)


def users(access: Access, *rules: Rule) -> Set[int]:
    return set(users_among(VOS, access, TEMPLATES, rules))


def test_permissions() -> None:
    assert users(access_of(template(7, rights="o"))) == VOS
    assert users(access_of(template(7, rights="g", gid=101))) == {101}
    assert users(access_of(template(7, rights="g", gid=0))) == set()
    assert users(access_of(template(7, rights="", gid=101))) == set()
    assert access_of(template(7, rights="go", gid=5, uid=3)) == Access(7, 3, 5, by_group=True, by_all=True)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(GROUP | 101, TEMPLATES | ALL, 1, ALL), [101]),
        (Rule(GROUP | 101, TEMPLATES | IMAGES | ONE | 7, 15, None), [101]),
        (Rule(GROUP | 101, TEMPLATES | GROUP | 100, 1, ALL), [101]),
        (Rule(ALL, TEMPLATES | ONE | 7, 1, ALL), [100, 101, 102]),
        (Rule(GROUP | 101, TEMPLATES | ONE | 8, 1, ALL), []),
        (Rule(GROUP | 101, TEMPLATES | GROUP | 7, 1, ALL), []),
        (Rule(GROUP | 101, TEMPLATES | CLUSTER | 7, 1, ALL), []),
        (Rule(GROUP | 101, IMAGES | ALL, 1, ALL), []),
        (Rule(GROUP | 101, TEMPLATES | ALL, 2, ALL), []),
        (Rule(GROUP | 103, TEMPLATES | ALL, 1, ALL), []),
        # what one user may is not what the group may
        (Rule(ONE | 101, TEMPLATES | ALL, 1, ALL), []),
    ],
)
def test_rules(rule: Rule, expected: List[int]) -> None:
    assert users(PRIVATE, rule) == set(expected)
    assert users(PRIVATE._replace(by_group=True), rule) == {100, *expected}


def test_what_has_no_owner_is_refused() -> None:
    with pytest.raises(ValueError, match="a VMTEMPLATE has no ID, UID or GID"):
        access_of(fromstring("<VMTEMPLATE><ID>1</ID><UID>0</UID></VMTEMPLATE>"))
    # permissions that are not told permit nothing
    bare = access_of(fromstring("<IMAGE><ID>1</ID><UID>0</UID><GID>0</GID></IMAGE>"))
    assert not bare.by_group and not bare.by_all
