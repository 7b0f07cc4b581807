"""What every way out of the machine can do, whatever carries the messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator, NamedTuple, Sequence


@dataclass(frozen=True)
class Message:
    """What leaves the machine: ``body`` is unsigned ASCII text; ``id`` has the form of :mod:`~.identity`."""

    id: str
    body: bytes = field(repr=False)


class Outcome(NamedTuple):
    """What became of one message.

    Not acknowledged means refused for what the message is: sending it again would end the same way.
    """

    id: str
    acknowledged: bool
    peer: str
    """Who answered: a broker as ``host:port``, a directory; empty when nobody did, as before a message left us."""
    reason: str
    """Why it was refused; empty when acknowledged."""
    too_large: bool = False
    """Whether its size is, or may be, what it was refused for: less of it at once may go.

    With a peer, the other side said so, and has not taken it. Without one, nobody knows what became of earlier tries.
    """


REFUSALS_IN_A_ROW = 5
"""So many refusals with nothing acknowledged in between speak against us or the other side, not the messages."""

TAKEN_BY_ALL = 16_384
"""Nobody in good order finds so many bytes too large; who says so, speaks against himself."""

Departing = Callable[[Sequence[str]], None]


def unnoted(ids: Sequence[str]) -> None:
    """Take no note of what leaves."""


class Transport(ABC):
    """One destination."""

    @abstractmethod
    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        """Send messages in order and yield what became of each, as the other side tells it.

        Messages are drawn one by one, some dozens ahead of the outcomes. ``departing`` is told the identities of
        messages just before they leave for the first time: from then on they may have arrived, before they cannot.
        One that is neither acknowledged nor refused when the iterator ends with an exception stays the caller's: it is
        to be sent again under the same identity. Raises UnreachableError when the other side cannot be reached for a
        while, RefusedError when it (or our check of it) says no to us as a whole, StorageError when a directory cannot
        be written, TryAgainError when the other side's clock and ours are apart.
        """

    @abstractmethod
    def ping(self) -> str:
        """Return who would take the messages (``host:port`` or a directory), having tried; raises as ``deliver``."""
