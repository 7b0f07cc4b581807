"""What a slapd says on its standard error, taken into our own log and kept for when it dies."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import deque
from typing import Deque, List

log = logging.getLogger(__name__)

_KEPT = 20
_STAMP = re.compile(r"^(?:[0-9a-f]{8}(?:\.[0-9a-f]{8})? )?(?:0x[0-9a-f]+ )?")
_EVERYDAY = re.compile(
    r"@\(#\)|slapd starting|slapd stopped|slapd shutdown: |daemon: shutdown requested|slapd gentle shutdown"
    r"|connections_destroy: nothing to destroy|connection_input: conn=[0-9]+ deferring operation"
    r"|send_search_entry: conn [0-9]+ +ber write failed"
)


class Words:
    """Reads one slapd's words to their end, in a thread: it must never have to wait until it can say something."""

    def __init__(self, descriptor: int) -> None:
        self._last: Deque[str] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._read, args=(descriptor,), name="words of slapd", daemon=True)
        self._thread.start()

    def last(self) -> str:
        """Return why it ended, in its own words; waits until it has said all, once it has ended."""
        self._thread.join(1.0)
        return gist(list(self._last))

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                text = plain(line)
                if text:
                    self._last.append(text)
                    log.log(logging.DEBUG if _EVERYDAY.match(text) else logging.INFO, "slapd: %s", text)


def plain(line: str) -> str:
    """Return a line without time and thread; nothing of one that only continues another."""
    text = _STAMP.sub("", line.rstrip())
    return "" if text[:1].isspace() else text


def gist(lines: List[str]) -> str:
    """Return the last lines that say something, as one."""
    telling = [line for line in lines if line and not _EVERYDAY.match(line)]
    return "; ".join(telling[-3:])[:500]
