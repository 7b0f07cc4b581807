"""The time of the simulated site: the real one until a test sets it, from then on it stands still between calls."""

from __future__ import annotations

import functools
import time
from typing import Optional


class SimulatedClock:
    """Tells the site's time in whole seconds, as nova's database keeps it."""

    def __init__(self) -> None:
        self._fixed: Optional[int] = None

    def now(self) -> int:
        """Return the present instant of the site."""
        return int(time.time()) if self._fixed is None else self._fixed

    def set(self, instant: Optional[int]) -> None:
        """Stop the clock at ``instant``; None gives it back to real time."""
        self._fixed = instant

    def advance(self, seconds: int) -> None:
        """Move on; a running clock is stopped by that."""
        self._fixed = self.now() + seconds


@functools.lru_cache(maxsize=65536)
def seconds_text(instant: int) -> str:
    """Return ``2026-11-22T14:54:39Z``, as nova and glance write created and updated."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))


@functools.lru_cache(maxsize=65536)
def microseconds_text(instant: int) -> str:
    """Return ``2026-11-22T14:54:39.000000``, as nova writes launched_at and terminated_at: no zone, meaning UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000", time.gmtime(instant))


def http_date(instant: int) -> str:
    """Return the instant as the Date header has it."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    moment = time.gmtime(instant)
    return (
        f"{days[moment.tm_wday]}, {moment.tm_mday:02d} {months[moment.tm_mon - 1]} {moment.tm_year:04d} "
        f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d} GMT"
    )
