"""Who may look on while we talk: one observer in the whole process, and none at all unless somebody asks for it.

Observed is each single exchange as it goes over the wire, so also the answers that are not believed and asked for
again. What is shown are the very bytes, secrets included: an observer keeps them no longer than it must.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Generator, Iterator, NamedTuple, Optional, Protocol, Tuple

from fedcloud_agent.errors import AgentError, RemoteDataError

Headers = Tuple[Tuple[str, str], ...]


class Sent(NamedTuple):
    """A request as it leaves: ``url`` is whole."""

    method: str
    url: str
    headers: Headers
    body: bytes


class Witness(Protocol):
    """One exchange as it happens. Whatever goes wrong in here is raised as an AgentError, and fails the call."""

    def answered(self, status: int, headers: Headers) -> None:
        """Take the head of the answer; not called when there is none."""

    def piece(self, data: bytes) -> None:
        """Take the next piece of the answer's body."""

    def ended(self, failure: Optional[AgentError]) -> None:
        """Take that nothing more comes: the answer is whole, or what kept it from being so."""


Observer = Callable[[Sent], Witness]

_observer: Optional[Observer] = None


@contextlib.contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Show every exchange of this process to ``observer`` as long as this lasts; threads call it at the same time."""
    global _observer
    if _observer is not None:
        raise ValueError("somebody observes already")
    _observer = observer
    try:
        yield
    finally:
        _observer = None


def witness_of(request: Any) -> Optional[Witness]:
    """Return who looks on at this prepared request of the HTTP library, if anybody does."""
    if _observer is None:
        return None
    body = request.body or b""
    headers = tuple((str(name), _text(value)) for name, value in request.headers.items())
    sent = Sent(request.method, request.url, headers, body if isinstance(body, bytes) else str(body).encode())
    return _observer(sent)


def witnessed(pieces: Generator[bytes, None, None], witness: Witness) -> Generator[bytes, None, None]:
    """Yield the pieces of an answer's body after showing each; whoever stops before the end breaks it off."""
    failure: Optional[AgentError] = RemoteDataError("the rest of the answer was not read")
    try:
        with contextlib.closing(pieces):
            for piece in pieces:
                witness.piece(piece)
                yield piece
        failure = None
    except AgentError as error:
        failure = error
        raise
    finally:
        witness.ended(failure)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
