"""Identifiers of what is published: safe in a DN, the same for ever, and no one else's.

An identifier depends on the names of one thing alone, never on what else there is, on versions or on the order in
which a cloud tells: an upgrade or a new neighbour renames nothing.
"""

from __future__ import annotations

import hashlib
import re

WIDTH = 180
"""The longest identifier: slapd's mdb keeps an RDN twice in a key of 511 bytes."""

_SAFE = re.compile(r"[A-Za-z0-9.:/@-][A-Za-z0-9._:/@-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._:/@-]")
# read again by its readers: a DN is cut at its first o=glue, and text that looks like the start of an entry is one
_MISREAD = re.compile(r"dn:", re.IGNORECASE)


def identifier(*parts: str) -> str:
    """Return the identifier that these names lead to: ``[A-Za-z0-9._:/@-]``, at most WIDTH long.

    Names that fit are joined by ``_`` as they are. Where anything had to be replaced or cut, six hexadecimal digits of
    a hash of the names are appended, so that what looks alike stays apart.
    """
    joined = "_".join(parts)
    if len(joined) <= WIDTH and _SAFE.fullmatch(joined) and not _MISREAD.search(joined):
        return joined
    clean = _MISREAD.sub("dn_", _UNSAFE.sub("_", joined)).lstrip("_")
    mark = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{clean[: WIDTH - 7] or 'unnamed'}_{mark}"
