"""Whether another load is wanted, asked twice a second at the price of two looks at the file system."""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path
from typing import Optional, Tuple

from fedcloud_agent.errors import AgentError
from fedcloud_agent.infosys.kept import Kept

log = logging.getLogger(__name__)

_Mark = Tuple[Optional[Tuple[int, int, int]], ...]
_SETTLED = 1.0
"""Seconds after which a file that is written again has another time of change for certain."""


class Watch:
    """Remembers what the kept tree said, and asks it anew when its files have changed."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._paths = (kept.path, kept.path.with_name(f"{kept.path.name}-wal"))
        self._mark: Optional[_Mark] = None
        self._wanted: Optional[str] = None
        self._complaint = ""

    def wanted(self) -> Optional[str]:
        """Return the load that is wanted, or None; what cannot be read is said once, and changes nothing."""
        mark = tuple(map(_mark, self._paths))
        if mark != self._mark:
            try:
                self._wanted = self._kept.wanted()
                self._complaint = ""
            except AgentError as error:
                if error.message != self._complaint:
                    log.error("%s", error.message)
                self._complaint = error.message
            newest = max((one[0] for one in mark if one is not None), default=0)
            self._mark = mark if abs(time.time() - newest / 1e9) > _SETTLED else None
        return self._wanted


def _mark(path: Path) -> Optional[Tuple[int, int, int]]:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino
    return None
