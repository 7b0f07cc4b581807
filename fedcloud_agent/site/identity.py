"""Who a user is for the federation: the certificate's subject, or the identifier of Check-in."""

from __future__ import annotations

import re
from typing import Callable, Mapping, Optional, Sequence

from fedcloud_agent.pki.dn import TYPE, DistinguishedName, UnfitNameError, parse_dn

PIPE = "pipe"
DOUBLE_QUOTE = "double-quote"
VOMS_SUFFIX = "voms-suffix"
PROXY = "proxy"

LONGEST_GLOBAL_USER = 255
"""Characters of GlobalUserName that the accounting repository keeps."""

_SLASH_DN = re.compile(rf"(?:/{TYPE}=[^/]+(?:/(?!{TYPE}=)[^/]*)*){{2,}}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._~+-]{1,128}@[A-Za-z0-9.-]{1,126}")
_SUFFIX_TYPES = frozenset({"VO", "ROLE", "CAPABILITY"})
_PROXIES = frozenset({"proxy", "limited proxy"})


def slash_dn(text: object) -> Optional[str]:
    """Return ``text`` if it is a distinguished name in slash form (``/DC=org/CN=Jane Doe``), else None.

    A value may itself hold slashes (``/CN=host/www.example.org``).
    """
    if not isinstance(text, str):
        return None
    text = text.strip()
    return text if _SLASH_DN.fullmatch(text) and text.isprintable() else None


def subject(text: str) -> DistinguishedName:
    """Return the subject of a person, fit to be what clouds know this person by.

    Front ends look names up as they come: one that holds a ``|`` or a ``"``, or ends as if a VO had signed it, would
    stand for somebody else. Raises UnfitNameError; its reason is one of those above or of :mod:`fedcloud_agent.pki.dn`.
    """
    name = parse_dn(text)
    values = "".join(value for _, value in name.attributes)
    if "|" in values:
        raise UnfitNameError(PIPE)
    if '"' in values:
        raise UnfitNameError(DOUBLE_QUOTE)
    if any(kind.upper() in _SUFFIX_TYPES for kind, _ in name.attributes) or "/role=" in values.lower():
        raise UnfitNameError(VOMS_SUFFIX)
    kind, value = name.attributes[-1]
    if kind == "CN" and value.strip().lower() in _PROXIES:
        raise UnfitNameError(PROXY)
    return name


def checkin_identifier(text: object) -> Optional[str]:
    """Return ``text`` if it has the form of an identifier of Check-in (``0123abcd@egi.eu``), else None."""
    return text if isinstance(text, str) and _IDENTIFIER.fullmatch(text) else None


def first_known(order: Sequence[str], sources: Mapping[str, Callable[[], Optional[str]]]) -> Optional[str]:
    """Return what the first of the sources named in ``order`` knows of a user, or None."""
    for name in order:
        found = sources[name]()
        if found:
            return found
    return None
