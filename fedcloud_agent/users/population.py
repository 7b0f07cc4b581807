"""Whom Perun lists: people, and what each of them is in each VO.

A reader of any format makes a :class:`Population`; what is decided about accounts follows from these classes alone.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

ACTIVE = "active"
HELD = "held"
SUSPENDED = "suspended"
ABSENT = "absent"
SKIPPED = "skipped"

_RANKS = {ACTIVE: 0, HELD: 1, SUSPENDED: 2, ABSENT: 3}

UNKNOWN_STATUS = "unknown-status"
EXPIRED = "expired"
GROUP_EXPIRED = "group-expired"
BANS = ("vo-ban", "facility-ban", "resource-ban")

_STATUSES: Dict[object, Tuple[str, str]] = {
    "VALID": (ACTIVE, "valid"),
    0: (ACTIVE, "valid"),
    "INVALID": (ABSENT, "invalid"),
    1: (ABSENT, "invalid"),
    "SUSPENDED": (SUSPENDED, "vo-ban"),
    2: (SUSPENDED, "vo-ban"),
    "EXPIRED": (SUSPENDED, EXPIRED),
    3: (SUSPENDED, EXPIRED),
    "DISABLED": (ABSENT, "disabled"),
    4: (ABSENT, "disabled"),
}
_GROUP_STATUSES: Dict[object, Tuple[str, str]] = {
    "VALID": (ACTIVE, "valid"),
    "EXPIRED": (SUSPENDED, GROUP_EXPIRED),
    "SUSPENDED": (SUSPENDED, "vo-ban"),
}


class Membership(NamedTuple):
    """What a person is in a VO, as one resource of the facility has it: ACTIVE, HELD, SUSPENDED or ABSENT, and why."""

    vo: str
    state: str
    reason: str


class Person(NamedTuple):
    """Someone whom Perun lists at a facility, in any state."""

    id: str
    """Who it is for Perun, by the best that the format has: ``uuid:…``, ``login:…``, ``uid:…``, or ``dn:…``."""
    facility: str
    uid: Optional[str]
    memberships: Tuple[Membership, ...]
    subjects: Tuple[str, ...] = ()
    """Subjects of certificates as Perun wrote them, the newest last."""
    name: Optional[str] = None
    mail: Optional[str] = None
    login: Optional[str] = None
    """The identifier of Check-in."""
    keys: Tuple[str, ...] = ()
    """Public keys of SSH, a line each."""
    fqans: Tuple[str, ...] = ()
    """Groups and roles of VOMS, where the format tells them."""


class Population(NamedTuple):
    """All whom one facility lists, as of the instant at which we got the list."""

    facility: str
    as_of: int
    persons: Tuple[Person, ...]


def membership(
    vo: str,
    status: object = "VALID",
    group_status: object = "VALID",
    *,
    vo_banned: bool = False,
    facility_banned: bool = False,
    resource_banned: bool = False,
) -> Membership:
    """Return what the words of Perun make of someone in a VO: a ban is above all, then status, then the group's."""
    for banned, reason in zip((vo_banned, facility_banned, resource_banned), BANS):
        if banned:
            return Membership(vo, SUSPENDED, reason)
    for word, table in ((status, _STATUSES), (group_status, _GROUP_STATUSES)):
        known = table.get(word.strip() if isinstance(word, str) else word) if _hashable(word) else None
        if known is None:
            return Membership(vo, HELD, UNKNOWN_STATUS)
        if known[0] != ACTIVE:
            return Membership(vo, *known)
    return Membership(vo, ACTIVE, "valid")


def _hashable(word: object) -> bool:
    # True and False are 1 and 0 to a dictionary, and no status
    return isinstance(word, (str, int)) and not isinstance(word, bool)


def best(memberships: Iterable[Membership]) -> Dict[str, Membership]:
    """Return for each VO the best of what its resources say."""
    found: Dict[str, Membership] = {}
    for one in memberships:
        before = found.get(one.vo)
        if before is None or _RANKS[one.state] < _RANKS[before.state]:
            found[one.vo] = one
    return found


def merged(persons: Iterable[Person]) -> Tuple[Person, ...]:
    """Return each person once, with all that was said; the first that is said of a name, mail or UID stands."""
    found: Dict[str, List[Person]] = {}
    for person in persons:
        found.setdefault(person.id, []).append(person)
    return tuple(some[0] if len(some) == 1 else _one(some) for some in found.values())


def _one(some: List[Person]) -> Person:
    def first(values: Iterable[Optional[str]]) -> Optional[str]:
        return next((value for value in values if value), None)

    return some[0]._replace(
        uid=first(p.uid for p in some),
        memberships=tuple(best(m for p in some for m in p.memberships).values()),
        subjects=tuple(dict.fromkeys(s for p in some for s in p.subjects)),
        name=first(p.name for p in some),
        mail=first(p.mail for p in some),
        login=first(p.login for p in some),
        keys=tuple(dict.fromkeys(k for p in some for k in p.keys)),
        fqans=tuple(dict.fromkeys(f for p in some for f in p.fqans)),
    )
