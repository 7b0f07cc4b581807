"""What a Top writes down of each of its cycles: one JSON object in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional


class Look(NamedTuple):
    """One source in one cycle. ``entries`` and ``size`` (bytes of LDIF) are what was taken: nothing after an error."""

    entries: int
    size: int
    seconds: float
    error: Optional[str]


class Cycle(NamedTuple):
    """One cycle. ``began`` is in seconds since the epoch; ``entries`` is what the Top's slapd holds after it."""

    number: int
    began: float
    seconds: float
    sources: Dict[str, Look]
    entries: int
    added: int
    modified: int
    deleted: int
    delayed: int
    """Entries that no source has any more, and that stay for a while."""
    errors: List[str]
    """What was wrong with the list of sources, and what slapd refused."""

    def line(self) -> str:
        """Return it as it is written down."""
        sources = {name: look._asdict() for name, look in self.sources.items()}
        return json.dumps({**self._asdict(), "sources": sources}) + "\n"


def read(path: Path) -> List[Cycle]:
    """Return the cycles that were written down, in order; a line that is still being written is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            fields = json.loads(line)
            looks = {name: Look(**look) for name, look in fields.pop("sources").items()}
            found.append(Cycle(sources=looks, **fields))
    return found
