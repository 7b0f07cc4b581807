"""The service ``opennebula_egi``: a JSON document of users with their groups, identifiers and credentials.

A group is a VO; the UID is at the end of the last account that a person was known by. The order of certificates means
nothing, so they are put in one of their own.
"""

from __future__ import annotations

from typing import Any, Dict, List

from fedcloud_agent.users.formats.text import anonymous, parsed_json, public_keys, word
from fedcloud_agent.users.population import Membership, Person, Population, membership, merged
from fedcloud_agent.users.refusal import PayloadError


def read(data: bytes, facility: str, as_of: int) -> Population:
    """Return whom the document lists. Raises PayloadError for another form."""
    document = parsed_json(data)
    users = document.get("users") if isinstance(document, dict) else None
    if not isinstance(users, list):
        raise PayloadError("the document has no list 'users'")
    persons = [_person(user, number, facility) for number, user in enumerate(users, 1)]
    return Population(facility, as_of, merged(persons))


def _person(user: Any, number: int, facility: str) -> Person:
    if not isinstance(user, dict):
        raise PayloadError(f"user {number} is no object")
    identifiers = _below(user, "identifiers", number)
    credentials = _below(user, "credentials", number)
    api, vm = _below(credentials, "api", number), _below(credentials, "vm", number)
    banned = user.get("banned", False)
    if not isinstance(banned, bool):
        raise PayloadError(f"user {number} is neither banned nor not")
    uids = {uid for old in _listed(identifiers, "old", number) for uid in [str(old).rpartition("_")[2]] if uid}
    uid = uids.pop() if len(uids) == 1 else None
    login = word(identifiers.get("current"))
    subjects = sorted({s for s in _listed(api, "x509", number) if isinstance(s, str) and s.strip()})
    person_id = f"login:{login}" if login else f"uid:{uid}" if uid else anonymous(facility, *subjects)
    return Person(
        id=person_id,
        facility=facility,
        uid=uid if uid and uid.isdigit() else None,
        memberships=tuple(_membership(group, banned, number) for group in _listed(user, "groups", number)),
        subjects=tuple(subjects),
        name=word(user.get("display_name")),
        mail=word(user.get("email")),
        login=login,
        keys=public_keys(_listed(vm, "ssh_keys", number)),
    )


def _membership(group: Any, banned: bool, number: int) -> Membership:
    vo = word(group.get("name")) if isinstance(group, dict) else None
    if vo is None:
        raise PayloadError(f"user {number} has a group without a name")
    return membership(vo, group.get("state"), facility_banned=banned)


def _below(value: Dict[str, Any], key: str, number: int) -> Dict[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise PayloadError(f"user {number}: {key!r} is no object")
    return found


def _listed(value: Dict[str, Any], key: str, number: int) -> List[Any]:
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise PayloadError(f"user {number}: {key!r} is no list")
    return found
