"""The service ``fedcloud_export``: a line of five fields for each member of each resource.

Only valid members who have a certificate are in it: who is not there expired, was banned, left, or lost a certificate.
"""

from __future__ import annotations

import re
from typing import List, Tuple

from fedcloud_agent.users.formats.text import anonymous, decoded, public_keys
from fedcloud_agent.users.population import Person, Population, membership, merged
from fedcloud_agent.users.refusal import PayloadError

_SEPARATOR = "\x1e"
_FIELDS = 5
_VO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read(data: bytes, facility: str, as_of: int) -> Population:
    """Return whom the file lists. Raises PayloadError for a line of another form, and for a last one that is cut."""
    lines = decoded(data).split("\n")
    if lines[-1]:
        raise PayloadError(f"line {len(lines)} has no end: the file is cut off")
    persons = [_person(line, number, facility) for number, line in enumerate(lines[:-1], 1)]
    return Population(facility, as_of, merged(persons))


def _person(line: str, number: int, facility: str) -> Person:
    fields = line.rstrip("\r").split(_SEPARATOR)
    if len(fields) != _FIELDS:
        raise PayloadError(f"line {number} has {len(fields)} fields instead of {_FIELDS}")
    account, vo, subject, mail, keys = fields
    named, _, uid = account.rpartition("_")
    if named != vo or not _VO.fullmatch(vo):
        raise PayloadError(f"line {number} names an account of another VO than its own, or none")
    if uid and not uid.isdigit():
        raise PayloadError(f"line {number} has a UID that is no number")
    subjects: Tuple[str, ...] = (subject,) if subject.strip() else ()
    return Person(
        id=f"uid:{uid}" if uid else anonymous(facility, vo, subject),
        facility=facility,
        uid=uid or None,
        memberships=(membership(vo),),
        subjects=subjects,
        mail=mail.strip() or None,
        keys=public_keys(_pieces(keys)),
    )


def _pieces(keys: str) -> List[str]:
    """Part keys at their bars; a bar in the comment of a key begins no other one."""
    return re.split(r"\|(?=\s*(?:ssh-|ecdsa-|sk-|[a-z0-9@.-]+ AAAA))", keys)
