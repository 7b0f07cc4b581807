"""The messages that were sent and not yet answered, and what to make of a connection that is cut under them.

Pure bookkeeping: the time is handed in. Messages stay in the order in which they came. After a cut they are all to be
sent again. When connections are cut again and again without a receipt, one message may be the cause (larger than the
broker takes, say): then they go one at a time, until the one is found that never survives.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import List, Optional, Set

CUTS_BEFORE_SUSPICION = 2
CUTS_BEFORE_VERDICT = 2


@dataclass
class Flying:
    """One message: its bytes as they travel, and when it was last sent (None: it has to be sent)."""

    id: str
    wire: bytes
    sent: Optional[float] = None
    cuts: int = 0
    """How many connections ended while this message alone was on the way."""
    departed: bool = False
    """Whether it was ever handed to a connection."""


class Flight:
    """Up to ``window`` unanswered messages."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._flying: OrderedDict[str, Flying] = OrderedDict()
        self._suspects: Set[str] = set()
        self._barren_cuts = 0

    def __len__(self) -> int:
        return len(self._flying)

    def has_room(self) -> bool:
        """Tell whether another message may be added: never while suspects go one at a time."""
        return not self._suspects and len(self._flying) < self._window

    def add(self, id: str, wire: bytes) -> None:
        """Take in a message, behind all others."""
        if id in self._flying:
            raise ValueError(f"the message {id} is already under way")
        self._flying[id] = Flying(id, wire)

    def due(self) -> List[Flying]:
        """Return what has to be sent now, in order."""
        if self._suspects:
            first = next(iter(self._flying.values()))
            return [first] if first.sent is None else []
        return [message for message in self._flying.values() if message.sent is None]

    def size(self, id: str) -> int:
        """Return how many bytes of a message travel; 0 for an id that is not flying."""
        return len(self._flying[id].wire) if id in self._flying else 0

    def settle(self, id: str) -> bool:
        """Take out an answered message; False for an id that is not flying, which is nothing of ours."""
        if self._flying.pop(id, None) is None:
            return False
        self._suspects.discard(id)
        self._barren_cuts = 0
        return True

    def cut(self) -> Optional[Flying]:
        """Note that the connection ended: all have to be sent again. Return the message that is the likely cause.

        The cause is likely when the message travelled alone under several cuts; it stays in the flight until settled.
        """
        sent = [message for message in self._flying.values() if message.sent is not None]
        for message in sent:
            message.sent = None
        if not sent:
            return None
        self._barren_cuts += 1
        if self._suspects:
            alone = sent[0]
            alone.cuts += 1
            return alone if alone.cuts >= CUTS_BEFORE_VERDICT else None
        if self._barren_cuts >= CUTS_BEFORE_SUSPICION:
            self._suspects = set(self._flying)
        return None

    def recall(self) -> None:
        """Note that all have to be sent again, for a reason that speaks against none of them."""
        for message in self._flying.values():
            message.sent = None

    def acquit(self) -> None:
        """Forget all suspicion: the broker cut for reasons of its own."""
        self._suspects.clear()
        self._barren_cuts = 0
        for message in self._flying.values():
            message.cuts = 0

    def oldest(self) -> Optional[float]:
        """Return when the message that waits longest was sent, None if none waits."""
        return min((m.sent for m in self._flying.values() if m.sent is not None), default=None)
