"""The services of ``generic_json_gen``: one JSON document with the attributes that the service requires.

A section is there only if its entity's uuid is required, an attribute only if it is. An attribute that is not there
says nothing (who is listed counts as valid); one that is there without a value is a status that nobody knows.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from fedcloud_agent.users.formats.text import parsed_json, public_keys, word
from fedcloud_agent.users.population import Membership, Person, Population, membership
from fedcloud_agent.users.refusal import PayloadError

_URN = "urn:perun:"
_VO_OF_RESOURCE = _URN + "resource:attribute-def:virt:voShortName"
_VO_NAME = _URN + "vo:attribute-def:core:shortName"
_STATUS = _URN + "member:attribute-def:core:status"
_SUSPENDED = _URN + "member:attribute-def:virt:isSuspended"
_GROUP_STATUS = _URN + "member_resource:attribute-def:virt:groupStatus"
_RESOURCE_BAN = _URN + "member_resource:attribute-def:virt:isBanned"
_FACILITY_BAN = _URN + "user_facility:attribute-def:virt:isBanned"
_BLACKLISTED = _URN + "user_facility:attribute-def:virt:blacklisted"
_UID = _URN + "user_facility:attribute-def:virt:UID"
_LOGIN = _URN + "user_facility:attribute-def:virt:login"
_CHECKIN = _URN + "user:attribute-def:virt:optional-login-namespace:egi"
_CERTIFICATES = _URN + "user:attribute-def:virt:userCertDNs"
_MAIL = _URN + "user:attribute-def:def:preferredMail"
_NAME = _URN + "user:attribute-def:core:displayName"
_KEYS = _URN + "user:attribute-def:def:sshPublicKey"


def read(data: bytes, facility: str, as_of: int) -> Population:
    """Return whom the document lists. Raises PayloadError for another form, or for a document of another facility."""
    document = parsed_json(data)
    if not isinstance(document, dict):
        raise PayloadError("the document is no object")
    of = _object(_object(document, "metadata"), "facility").get("facilityName")
    if of != facility:
        raise PayloadError("the document is of another facility than the push")
    resources = _resources(document)
    users = _object(document, "users")
    persons = tuple(_person(uuid, _entry(users, uuid), resources, facility) for uuid in users)
    return Population(facility, as_of, persons)


class _Resource(NamedTuple):
    vo: str
    vo_uuid: Optional[str]


def _resources(document: Mapping[str, Any]) -> Dict[str, _Resource]:
    vos = _object(document, "vos") if "vos" in document else {}
    resources = _object(document, "resources")
    found: Dict[str, _Resource] = {}
    for uuid in resources:
        resource = _entry(resources, uuid)
        of = word(resource.get("voUuid"))
        vo = word(_attributes(resource).get(_VO_OF_RESOURCE))
        if vo is None and of in vos:
            vo = word(_attributes(_entry(vos, of)).get(_VO_NAME))
        if vo is None:
            raise PayloadError(
                f"the resource {uuid} does not say of which VO it is: the service needs {_VO_OF_RESOURCE}"
            )
        found[uuid] = _Resource(vo, of)
    return found


def _person(uuid: str, user: Mapping[str, Any], resources: Mapping[str, _Resource], facility: str) -> Person:
    told = _attributes(user)
    keys = told.get(_KEYS)
    return Person(
        id=f"uuid:{uuid}",
        facility=facility,
        uid=word(told.get(_UID)),
        memberships=tuple(_memberships(uuid, user, resources)),
        subjects=_subjects(told.get(_CERTIFICATES), uuid),
        name=word(told.get(_NAME)),
        mail=word(told.get(_MAIL)),
        login=word(told.get(_CHECKIN)) or word(told.get(_LOGIN)),
        keys=public_keys(keys) if isinstance(keys, list) else (),
    )


def _memberships(uuid: str, user: Mapping[str, Any], resources: Mapping[str, _Resource]) -> Iterator[Membership]:
    told = _attributes(user)
    facility_banned = bool(told.get(_FACILITY_BAN)) or bool(told.get(_BLACKLISTED))
    vos = _object(user, "allowed_vos") if "allowed_vos" in user else {}
    allowed = _object(user, "allowed_resources")
    for key in allowed:
        resource = resources.get(key)
        if resource is None:
            raise PayloadError(f"the user {uuid} has a resource that the document does not describe")
        here = _attributes(_entry(allowed, key))
        member = _attributes(_entry(vos, resource.vo_uuid)) if resource.vo_uuid in vos else {}
        yield membership(
            resource.vo,
            member.get(_STATUS, here.get(_STATUS, "VALID")),
            here.get(_GROUP_STATUS, "VALID"),
            vo_banned=bool(member.get(_SUSPENDED, here.get(_SUSPENDED))),
            facility_banned=facility_banned,
            resource_banned=bool(here.get(_RESOURCE_BAN)),
        )


def _subjects(told: object, uuid: str) -> Tuple[str, ...]:
    """Return subjects in the order of the numbers before them; JSON orders them as texts (10 before 2)."""
    if not told:
        return ()
    if not isinstance(told, dict):
        raise PayloadError(f"the certificates of the user {uuid} are no object")
    numbered = []
    for entry in told:
        number, _, subject = entry.partition(":")
        if not number.isdigit():
            raise PayloadError(f"a certificate of the user {uuid} has no number")
        numbered.append((int(number), subject))
    return tuple(subject for _, subject in sorted(numbered))


def _object(value: Mapping[str, Any], key: str) -> Dict[str, Any]:
    found = value.get(key)
    if not isinstance(found, dict):
        raise PayloadError(f"the document has no object {key!r}, or a user has none")
    return found


def _entry(value: Mapping[Any, Any], key: Optional[str]) -> Dict[str, Any]:
    found = value[key]
    if not isinstance(found, dict):
        raise PayloadError(f"what is below {key} is no object")
    return found


def _attributes(value: Mapping[str, Any]) -> Dict[str, Any]:
    return _object(value, "attributes")
