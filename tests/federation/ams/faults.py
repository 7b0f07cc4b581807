"""Faults on request: what goes wrong, at which request, how often."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Counter, Dict, List, Mapping, Optional


class Faults:
    """The faults in a JSON file, which is read for each request: a list of objects.

    ``id`` names a fault, ``on`` the request (publish, knock: a publish request without a message, token, pull),
    ``times`` how often it strikes (absent: for ever), ``after`` how many such requests it lets pass,
    ``larger`` the size in bytes above which it does. What it does is its ``act``:

    - ``status``: the answer ``status``, with ``body`` or a page of HTML, perhaps ``retry_after``; with ``early``
      without reading the request, after which the connection is closed;
    - ``cut``: the request is read, and the connection closed without an answer;
    - ``deaf``: the connection is closed without reading the request;
    - ``take and cut``: the request is served, and the connection closed without an answer;
    - ``slow``: served, and answered ``seconds`` later;
    - ``odd``: not served, and answered 200 with ``body`` (``type``: its content type).

    ``{"id": .., "act": "clock", "shift": S}`` sets every Date header wrong by so many seconds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._struck: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def find(self, on: str, size: int) -> Optional[Mapping[str, Any]]:
        """Return the fault that strikes a request, if any."""
        with self._lock:
            for fault in self._read():
                if fault.get("on") != on or size <= fault.get("larger", -1):
                    continue
                if self._struck[fault["id"]] >= fault.get("times", 1 << 30):
                    continue
                if self._passed[fault["id"]] < fault.get("after", 0):
                    self._passed[fault["id"]] += 1
                    continue
                self._struck[fault["id"]] += 1
                return fault
        return None

    def shift(self) -> int:
        """Return by how much the clock is wrong."""
        return sum(int(fault["shift"]) for fault in self._read() if fault["act"] == "clock")

    def _read(self) -> List[Dict[str, Any]]:
        try:
            faults: List[Dict[str, Any]] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return []
        return faults
