"""Text of clouds and people, made harmless for those who read the tree.

Readers rewrite and cut what they read as plain text: a DN at ``o=glue``, an entry at ``dn:``, a line at blanks. So no
value carries what they would take for their own marks, and values that are read as words carry no blank or comma.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import Optional
from urllib.parse import quote

_LONGEST = 1024
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_WORD = re.compile(r"[!-+\--~]+")
_SPACE = re.compile(r"\s+")
_MARKS = re.compile(r"(dn)(?=:)|(o)(?==glue)|(GLUE2)(?=Endpoint)|(GLUE2DomainID)(?==)", re.IGNORECASE)


def text(value: Optional[str]) -> Optional[str]:
    """Return a value fit for people: one line, printable, at most 1,024 characters; None if nothing is left."""
    if value is None:
        return None
    if len(value) <= _LONGEST and _PLAIN.fullmatch(value) and not _MARKS.search(value):
        return value
    kept = "".join(c if c.isprintable() or c == " " else " " for c in value)
    kept = _MARKS.sub(lambda found: f"{found.group()}_", _SPACE.sub(" ", kept).strip()[:_LONGEST].strip())
    return kept or None


def word(value: Optional[str]) -> Optional[str]:
    """Return a value without blanks and commas, in ASCII: whatever else was in it is percent-encoded."""
    clean = text(value)
    if clean is None or _WORD.fullmatch(clean):
        return clean
    return quote(clean, safe="!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~")


@lru_cache(maxsize=256)
def moment(instant: int) -> str:
    """Return an instant as GLUE 2 writes it."""
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
