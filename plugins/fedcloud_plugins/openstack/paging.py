"""Reading a list to its end, page by page: all of it, or an error."""

from __future__ import annotations

import time
from typing import Any, Callable, List, Optional, Set, Tuple

from fedcloud_agent.errors import RemoteDataError, UnreachableError

PageOf = Tuple[List[Any], Optional[str]]
"""The rows of a page, and the marker at which the next one begins, if there is one."""

_MOST = 1000
"""Pages: the services give a thousand rows at once, and no cloud has a million of anything that is listed so."""


def read_all(page: Callable[[Optional[str]], PageOf], place: str, deadline: float) -> List[Any]:
    """Return the rows of all pages, where ``page(marker)`` asks for one and ``place`` names the list.

    Raises what a page raises; RemoteDataError when there is no end to them, UnreachableError when it does not come
    within ``deadline`` seconds.
    """
    end = time.monotonic() + deadline
    rows: List[Any] = []
    seen: Set[str] = set()
    marker: Optional[str] = None
    while True:
        found, marker = page(marker)
        rows.extend(found)
        if marker is None:
            return rows
        if marker in seen:
            raise RemoteDataError(f"{place} pages in a circle: marker {marker!r:.60} came twice")
        if len(seen) == _MOST:
            raise RemoteDataError(f"{place} has no end: {_MOST} pages were read, and there is another")
        if time.monotonic() > end:
            raise UnreachableError(f"{place} was not read to its end in {deadline:.0f} s")
        seen.add(marker)
