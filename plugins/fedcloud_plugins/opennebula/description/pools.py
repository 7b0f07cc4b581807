"""The lists that an offer is made of, each read in one call; in pieces where something in it cannot be told."""

from __future__ import annotations

import logging
from typing import Callable, Iterator, List, Optional, TypeVar
from xml.etree.ElementTree import Element

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import AgentError, RemoteDataError
from fedcloud_agent.http import SlowError
from fedcloud_plugins.opennebula.machines import LARGEST_ID
from fedcloud_plugins.opennebula.windows import is_blinding, is_too_much
from fedcloud_plugins.opennebula.wire import Wire

log = logging.getLogger(__name__)

T = TypeVar("T")

_EVERYBODY = -2
_REST = -1
_FIRST_PIECE = 256


class Pools:
    """Lists of one oned. ``problems`` names what in them makes no sense and is left out."""

    def __init__(self, wire: Wire) -> None:
        self.problems: List[Problem] = []
        self._wire = wire

    def whole(self, name: str, kind: str, made: Callable[[Element], Optional[T]]) -> List[T]:
        """Return what ``made`` makes of each element of a list that can only be had whole; None is left out."""
        return self._wire.read(f"{name}_POOL", f"one.{kind}pool.info", take=lambda element: self._made(element, made))

    def ranged(self, name: str, kind: str, made: Callable[[Element], T], *more: int) -> List[T]:
        """Return what ``made`` makes of each element of a list that can be had by ranges of ids.

        It is asked for whole. An element that oned cannot tell blinds the whole list: then it is found by halves, and
        a problem names it. ``more``: what the call takes behind the range.
        """

        def read(first: int, last: int) -> List[T]:
            return self._wire.read(
                f"{name}_POOL",
                f"one.{kind}pool.info",
                _EVERYBODY,
                first,
                last,
                *more,
                take=lambda element: self._made(element, made) if element.tag == name else None,
            )

        try:
            return read(_REST, _REST)
        except AgentError as error:
            if not _needs_pieces(error):
                raise
            log.info("the list of %ss is asked for in pieces: %s", kind, error.message)
            self._check_sight(read, kind, error)
        return [one for piece in self._pieces(read, kind) for one in piece]

    def _pieces(self, read: Callable[[int, int], List[T]], kind: str) -> Iterator[List[T]]:
        first, width = 0, _FIRST_PIECE
        while first <= LARGEST_ID:
            last = min(first + width - 1, LARGEST_ID)
            yield from self._halves(read, kind, first, last)
            first, width = last + 1, 2 * width
            try:
                yield read(first, _REST)
                return
            except AgentError as error:
                if not _needs_pieces(error):
                    raise

    def _halves(self, read: Callable[[int, int], List[T]], kind: str, first: int, last: int) -> Iterator[List[T]]:
        try:
            yield read(first, last)
            return
        except AgentError as error:
            if not _needs_pieces(error) or (first == last and not is_blinding(error)):
                raise
            if first == last:
                self.problems.append(Problem(f"{kind} {first}", f"oned cannot tell it, so it is left out: {error}"))
                return
        middle = (first + last) // 2
        yield from self._halves(read, kind, first, middle)
        yield from self._halves(read, kind, middle + 1, last)

    def _check_sight(self, read: Callable[[int, int], List[T]], kind: str, cause: AgentError) -> None:
        """Raise what looks like the fault of one element, if oned cannot even tell a range without any."""
        try:
            read(LARGEST_ID, LARGEST_ID)
        except AgentError as error:
            if not _needs_pieces(error):
                raise
            raise RemoteDataError(
                f"oned cannot even tell a range of {kind}s that is empty: {cause.message}",
                hint="look into oned.log; is a proxy between us and oned?",
            ) from error

    def _made(self, element: Element, made: Callable[[Element], Optional[T]]) -> Optional[T]:
        try:
            return made(element)
        except ValueError as error:
            self.problems.append(Problem(f"a {element.tag} of oned", str(error)))
            return None


def _needs_pieces(error: AgentError) -> bool:
    # an oned that keeps silent is not asked again and again
    return is_blinding(error) or (is_too_much(error) and not isinstance(error, SlowError))
