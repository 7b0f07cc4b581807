"""Who a machine's owner is for the federation, as the machine and the account tell it. Pure."""

from __future__ import annotations

import re
from typing import Mapping, Optional, Sequence

from fedcloud_agent.pki.dn import printable
from fedcloud_agent.site.identity import checkin_identifier, slash_dn
from fedcloud_plugins.opennebula.pools import User

# what the provisioning of EGI accounts appended to the subject of a person
_VOMS_TAIL = re.compile(r"/VO=[^/]+/Role=.*")


def global_user(told: Mapping[str, str], of_machine: Sequence[str], user: Optional[User]) -> Optional[str]:
    """Return the subject in slash form or the Check-in identifier of a machine's owner, or None.

    ``told``: the machine's user template, of which ``of_machine`` are the attributes to look at. Then come the
    account's own properties, in their order, and what the driver x509 knows it by.
    """
    for name in of_machine:
        found = _name(told.get(name))
        if found:
            return found
    if user is None:
        return None
    for value in user.properties.values():
        found = _name(value)
        if found:
            return found
    return next((found for found in map(subject_of, user.subjects.split("|")) if found), None)


def subject_of(password: str) -> Optional[str]:
    r"""Return the subject that one entry of an x509 account's password field stands for, or None.

    Releases from 4.0 on write a space as ``\20``; earlier ones dropped it, which nobody can undo.
    """
    return _name(_VOMS_TAIL.sub("", password.replace("\\20", " ")))


def _name(text: Optional[str]) -> Optional[str]:
    """Return a subject as GOCDB and the accounting repository compare it, or a Check-in identifier as it is."""
    subject = slash_dn(text)
    if subject is not None:
        return printable(subject)
    return checkin_identifier(text)
