"""What a complete listing leaves for the next one: how far the ids go, and where its windows are best cut."""

from __future__ import annotations

import json
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from fedcloud_plugins.opennebula.row import Row

_DONE = 6
_LARGEST = 2**63


class Mark(NamedTuple):
    """The ids of one oned as a listing found them.

    ``high``: the highest id; ``stime``: the latest STIME, so that an oned which counts anew gives itself away;
    ``cuts``: ids between which no more than a window's machines were alive, and so are alive for ever; ``blind``: the
    machines that oned can tell only in brief.
    """

    high: int
    stime: int
    cuts: Tuple[int, ...] = ()
    blind: Tuple[int, ...] = ()

    @property
    def ends(self) -> List[int]:
        """The last ids of the windows in which those alive then are listed."""
        return [*(cut for cut in self.cuts if cut < self.high), *([self.high] if self.high >= 0 else [])]

    def denies(self, row: Row) -> bool:
        """Tell whether a machine cannot be of the oned that left this mark, which gave that id to another one."""
        return row.id <= self.high and row.stime > self.stime


def written(mark: Mark) -> str:
    """Return a mark as the ledger keeps it."""
    return json.dumps([1, *mark], separators=(",", ":"))


def mark_of(text: Optional[str]) -> Optional[Mark]:
    """Return the mark that was written, or None where there is none that we can read: then everything is listed."""
    try:
        version, high, stime, cuts, blind = json.loads(text or "")
        if version != 1:
            return None
        high, stime = _whole([high, stime])
        return Mark(high, stime, tuple(sorted(_whole(cuts))), tuple(_whole(blind)))
    except (ValueError, TypeError):
        return None


def _whole(values: Any) -> Sequence[int]:
    if not all(type(value) is int and -1 <= value < _LARGEST for value in values):
        raise ValueError("not what we wrote")
    return list(values)


class Sketch:
    """The mark that a listing is about to leave, drawn as its machines pass by in the order of their ids."""

    def __init__(self, window: int, before: Optional[Mark] = None) -> None:
        self._window = window
        self._high = -1 if before is None else before.high
        self._stime = 0 if before is None else before.stime
        self._cuts: List[int] = []
        self._alive = 0

    def see(self, rows: Sequence[Row]) -> None:
        """Take in machines."""
        for row in rows:
            self._high = max(self._high, row.id)
            self._stime = max(self._stime, row.stime)
            if row.state != _DONE:
                self._alive += 1
                if self._alive % self._window == 0:
                    self._cuts.append(row.id)

    def mark(self, blind: Sequence[int]) -> Mark:
        """Return what was seen."""
        return Mark(self._high, self._stime, tuple(self._cuts), tuple(sorted(blind)))
