"""Who a user is for the federation: the certificate's subject, or the identifier of Check-in."""

from __future__ import annotations

import re
from typing import Callable, Mapping, Optional, Sequence

_SLASH_DN = re.compile(r"(?:/[A-Za-z][A-Za-z0-9.-]*=[^/]+(?:/(?![A-Za-z][A-Za-z0-9.-]*=)[^/]*)*){2,}")


def slash_dn(text: object) -> Optional[str]:
    """Return ``text`` if it is a distinguished name in slash form (``/DC=org/CN=Jane Doe``), else None.

    A value may itself hold slashes (``/CN=host/www.example.org``).
    """
    if not isinstance(text, str):
        return None
    text = text.strip()
    return text if _SLASH_DN.fullmatch(text) and text.isprintable() else None


def first_known(order: Sequence[str], sources: Mapping[str, Callable[[], Optional[str]]]) -> Optional[str]:
    """Return what the first of the sources named in ``order`` knows of a user, or None."""
    for name in order:
        found = sources[name]()
        if found:
            return found
    return None
