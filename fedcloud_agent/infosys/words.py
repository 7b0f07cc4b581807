"""Text of clouds and people, made harmless for those who read the tree.

Readers rewrite and cut what they read as plain text: a DN at ``o=glue``, an entry at ``dn:``, a line at blanks. So no
value carries what they would take for their own marks, and values that are read as words carry no blank or comma.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Optional
from urllib.parse import quote

_LONGEST = 1024
_SPACE = re.compile(r"\s+")
_MARKS = re.compile(r"(dn)(?=:)|(o)(?==glue)|(GLUE2)(?=Endpoint)|(GLUE2DomainID)(?==)", re.IGNORECASE)


def text(value: Optional[str]) -> Optional[str]:
    """Return a value fit for people: one line, printable, at most 1,024 characters; None if nothing is left."""
    if value is None:
        return None
    kept = "".join(c if c.isprintable() or c == " " else " " for c in value)
    kept = _MARKS.sub(lambda found: f"{found.group()}_", _SPACE.sub(" ", kept).strip()[:_LONGEST].strip())
    return kept or None


def word(value: Optional[str]) -> Optional[str]:
    """Return a value without blanks and commas, in ASCII: whatever else was in it is percent-encoded."""
    clean = text(value)
    return None if clean is None else quote(clean, safe="!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~")


def moment(instant: int) -> str:
    """Return an instant as GLUE 2 writes it."""
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
