"""May this account see everything? oned answers who may not with a part of a list, and says nothing about it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import FrozenSet, Iterable, NamedTuple, Optional

from fedcloud_agent.errors import RemoteDataError

_ONE = 0x100000000
_GROUP = 0x200000000
_ALL = 0x400000000
_SCOPES = _ONE | _GROUP | _ALL | 0x800000000
_USE = 0x1
_NUMBER = 0xFFFFFFFF

# what a rule is about
MACHINES = 0x1000000000
HOSTS = 0x2000000000
IMAGES = 0x8000000000
TEMPLATES = 0x20000000000
GROUPS = 0x40000000000
DOCUMENTS = 0x400000000000


class Account(NamedTuple):
    """Who oned takes us for."""

    id: int
    name: str
    groups: FrozenSet[int]

    @property
    def is_administrator(self) -> bool:
        """Whether oned lets this account do everything: oneadmin, or a member of his group."""
        return self.id == 0 or 0 in self.groups


class Rule(NamedTuple):
    """An access control rule, in the numbers that oned tells."""

    user: int
    resource: int
    rights: int
    zone: Optional[int]
    """None before there were zones."""


def account_of(user: ET.Element) -> Account:
    """Return who a USER is; the rest of it, tokens and digests, is not kept. Raises RemoteDataError if it is none."""
    try:
        groups = {int(user.findtext("GID", ""))}
        groups.update(int(entry.text or "") for entry in user.findall("GROUPS/ID"))
        return Account(int(user.findtext("ID", "")), user.findtext("NAME", ""), frozenset(groups))
    except ValueError as error:
        raise RemoteDataError("oned answers the question who we are with a user without numbers") from error


def rule_of(element: ET.Element) -> Optional[Rule]:
    """Return the rule that an ACL tells, or None for an odd one, which grants nothing."""
    try:
        zone = element.findtext("ZONE")
        user, resource, rights = (int(element.findtext(key, ""), 16) for key in ("USER", "RESOURCE", "RIGHTS"))
        return Rule(user, resource, rights, None if zone is None else int(zone, 16))
    except ValueError:
        return None


def is_here(rule: Rule, zone: Optional[int]) -> bool:
    """Tell whether a rule is for all zones, or for this one; None: it is not known which one this is."""
    return rule.zone in (None, _ALL) or (zone is not None and rule.zone == _ONE | zone)


def is_of_use(rule: Rule, kinds: int) -> bool:
    """Tell whether a rule lets anybody use things of these kinds."""
    return bool(rule.resource & kinds and rule.rights & _USE)


def sees_all(account: Account, rules: Iterable[Rule], zone: Optional[int] = None, kind: int = MACHINES) -> bool:
    """Tell whether a rule for all zones, or for this ``zone``, lets the account use every machine, host, image …"""
    mine = {_ONE | account.id, _ALL, *(_GROUP | group for group in account.groups)}
    return any(
        rule.user in mine and is_of_use(rule, kind) and rule.resource & _SCOPES == _ALL and is_here(rule, zone)
        for rule in rules
    )


def lets_group_use(rule: Rule, group: int, kind: int, number: int, owner: int) -> bool:
    """Tell whether a rule lets a group use the one object of this kind and number; ``owner`` is the object's group."""
    if rule.user not in (_ALL, _GROUP | group) or not is_of_use(rule, kind):
        return False
    scope = rule.resource & _SCOPES
    return scope == _ALL or (scope, rule.resource & _NUMBER) in ((_ONE, number), (_GROUP, owner))


def rule_to_add(account: Account, more: str = "") -> str:
    """Return the command that gives the account what the agent needs, and nothing that changes anything."""
    return f'oneacl create "#{account.id} VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP{more}/* USE *"'
