"""May this account see every machine? oned answers who may not with a part of them, and says nothing about it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import FrozenSet, Iterable, NamedTuple, Optional

from fedcloud_agent.errors import RemoteDataError

_ONE = 0x100000000
_GROUP = 0x200000000
_ALL = 0x400000000
_MACHINES = 0x1000000000
_SCOPES = _ONE | _GROUP | _ALL | 0x800000000
_USE = 0x1


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


def sees_all(account: Account, rules: Iterable[Rule], zone: Optional[int] = None) -> bool:
    """Tell whether a rule for all zones, or for this ``zone``, lets the account use every machine."""
    here = {None, _ALL, *(() if zone is None else (_ONE | zone,))}
    mine = {_ONE | account.id, _ALL, *(_GROUP | group for group in account.groups)}
    return any(
        rule.user in mine
        and rule.resource & _MACHINES
        and rule.resource & _SCOPES == _ALL
        and rule.rights & _USE
        and rule.zone in here
        for rule in rules
    )


def rule_to_add(account: Account) -> str:
    """Return the command that gives the account what accounting needs, and nothing that changes anything."""
    return f'oneacl create "#{account.id} VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP/* USE *"'
