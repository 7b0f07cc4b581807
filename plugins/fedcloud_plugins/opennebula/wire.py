"""Calls to oned, one at a time: a connection for each, patience with an oned that is busy or has no leader."""

from __future__ import annotations

import logging
import time
import xml.etree.ElementTree as ET
from typing import Callable, Dict, Iterable, Iterator, List, Optional, TypeVar

from fedcloud_agent.clock import now
from fedcloud_agent.errors import UnreachableError
from fedcloud_agent.http import Bounds, Client, CutOffError, FailedError, SlowError
from fedcloud_plugins.opennebula import streaming, xmlrpc
from fedcloud_plugins.opennebula.login import Login
from fedcloud_plugins.opennebula.xmlrpc import Argument, LoginRefusedError

log = logging.getLogger(__name__)

T = TypeVar("T")

_ATTEMPTS = 3


class Clock:
    """oned's time, as the Date header of its latest answer had it."""

    date: int = 0
    offset: int = 0
    """oned's clock minus ours, in seconds."""


class Wire:
    """One endpoint with one login. All calls made here only read, so they may be repeated.

    ``deadline``: seconds for all calls together, from the last :meth:`begin`.
    """

    def __init__(
        self, client: Client, bounds: Bounds, url: str, login: Login, deadline: float, headers: Dict[str, str]
    ) -> None:
        self.url = url
        self.login = login
        self.clock = Clock()
        self.calls = 0
        self.size = 0
        """Bytes of the latest answer, as they came over the wire."""
        self._client = client
        self._bounds = bounds
        self._headers = {"Content-Type": "text/xml", "Accept": "text/xml", "Connection": "close", **headers}
        self._deadline = deadline
        self._end = time.monotonic() + deadline

    def begin(self) -> None:
        """Start the time that the deadline counts."""
        self._end = time.monotonic() + self._deadline

    def value(self, method: str, *arguments: Argument) -> str:
        """Return the value of a short answer."""
        return self._patiently(method, arguments, lambda value, _: b"".join(value).decode("utf-8", "replace"))

    def document(self, root: str, method: str, *arguments: Argument) -> ET.Element:
        """Return the one element that an answer brings."""
        return self._patiently(method, arguments, lambda value, place: streaming.element(value, root, place))

    def read(self, root: str, method: str, *arguments: Argument, take: Callable[[ET.Element], Optional[T]]) -> List[T]:
        """Return what ``take`` makes of each element below the root of an answer; None is left out.

        ``take`` is called for each element as it comes, and must not keep it: memory is that of what it returns.
        """

        def kept(value: Iterator[bytes], place: str) -> List[T]:
            made = map(take, streaming.elements(value, root, place))
            return [one for one in made if one is not None]

        return self._patiently(method, arguments, kept)

    def _patiently(self, method: str, arguments: Iterable[Argument], use: Callable[[Iterator[bytes], str], T]) -> T:
        fresh = False
        for attempt in range(_ATTEMPTS):
            if time.monotonic() > self._end:
                raise SlowError(f"{self.url} was not read to its end in {self._deadline:.0f} s")
            try:
                return self._once(method, arguments, use)
            except LoginRefusedError:
                if fresh or not self.login.renewable or attempt == _ATTEMPTS - 1:
                    raise
                fresh = True
                self.login.renew()
            except (UnreachableError, CutOffError) as error:
                # silence and a failure of oned itself are met with a smaller question, if at all
                lasting = isinstance(error, SlowError) or (isinstance(error, FailedError) and error.status == 500)
                if lasting or attempt == _ATTEMPTS - 1:
                    raise
                pause = self._bounds.backoff * 2**attempt
                log.info("%s; trying again in %.1f s", error.message, pause)
                time.sleep(pause)
        raise AssertionError("a loop of at least one turn ends inside")

    def _once(self, method: str, arguments: Iterable[Argument], use: Callable[[Iterator[bytes], str], T]) -> T:
        body = xmlrpc.request(method, self.login.session(), *arguments)
        self.calls += 1
        self.size = 0
        answer = self._client.stream("POST", self.url, headers=self._headers, body=body)
        self.clock.date = answer.head.date()
        self.clock.offset = self.clock.date - now()
        place = f"{self.url} {method}"
        return use(streaming.value_of(self._counted(answer.pieces), place), place)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            yield piece
