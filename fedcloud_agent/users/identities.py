"""By which subjects each person may be known, when all whom the facilities list are looked at together. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Set, Tuple

from fedcloud_agent.pki.dn import DistinguishedName, UnfitNameError
from fedcloud_agent.site.fqan import Fqan
from fedcloud_agent.site.identity import LONGEST_GLOBAL_USER, subject
from fedcloud_agent.users.population import Person
from fedcloud_agent.users.steps import Notice

LARGEST_LOGIN = 64 * 1024
"""Bytes that a cloud keeps of all the subjects of an account."""


class Identities(NamedTuple):
    """The usable subjects of each person, the newest last, and the UIDs that more than one person has."""

    subjects: Dict[str, Tuple[DistinguishedName, ...]]
    shared_uids: Set[str]
    notices: List[Notice]


def identify(persons: Iterable[Person]) -> Identities:
    """Return who may be known by what. A subject at two persons is nobody's: it proves neither of them."""
    subjects: Dict[str, Tuple[DistinguishedName, ...]] = {}
    holders: Dict[str, Set[str]] = {}
    uids: Dict[str, Set[str]] = {}
    notices: List[Notice] = []
    for person in persons:
        own: Dict[str, DistinguishedName] = {}
        for text in person.subjects:
            try:
                name = subject(text)
            except UnfitNameError as error:
                words = f"a certificate of {person.id} is left out: {error.reason}"
                notices.append(Notice(f"dn-rejected:{error.reason}", person.id, words))
                continue
            if own.pop(name.key, None) is not None:
                words = f"a subject of {person.id} is listed twice"
                notices.append(Notice("dn-duplicate-same-user", person.id, words))
            own[name.key] = name
            holders.setdefault(name.key, set()).add(person.id)
        subjects[person.id] = tuple(own.values())
        if person.uid is not None:
            uids.setdefault(person.uid, set()).add(person.id)
    for ids in (ids for ids in holders.values() if len(ids) > 1):
        words = f"{', '.join(sorted(ids))} have a subject in common: it is left out of all their accounts"
        notices += [Notice("dn-duplicate-across-users", one, words) for one in sorted(ids)]
        for one in ids:
            subjects[one] = tuple(name for name in subjects[one] if len(holders[name.key]) == 1)
    for person_id, names in subjects.items():
        if names and len(str(names[-1])) > LONGEST_GLOBAL_USER:
            words = (
                f"the newest subject of {person_id} is longer than a record can hold: {LONGEST_GLOBAL_USER} characters"
            )
            notices.append(Notice("global-user-name-over-255", person_id, words))
    return Identities(subjects, {uid for uid, ids in uids.items() if len(ids) > 1}, notices)


def spelled(names: Tuple[DistinguishedName, ...], vo: str) -> Tuple[Tuple[str, ...], bool]:
    """Return the spellings of subjects that fit in an account of a VO, and whether all do; the newest come first in."""
    suffix = len(Fqan(vo).suffix) + 1
    room = LARGEST_LOGIN
    found: List[Tuple[str, ...]] = []
    for name in reversed(names):
        spellings = name.spellings
        # a cloud may write each blank as three characters
        room -= sum(len(text) + 2 * text.count(" ") + suffix for text in spellings)
        if room < 0:
            return tuple(text for some in reversed(found) for text in some), False
        found.append(spellings)
    return tuple(text for some in reversed(found) for text in some), True


def keys_of(subjects: Iterable[str]) -> Tuple[str, ...]:
    """Return what the subjects of an account have in common with all their spellings; what is none is left out."""
    found: Dict[str, None] = {}
    for text in subjects:
        try:
            found[subject(text).key] = None
        except UnfitNameError:
            continue
    return tuple(found)
