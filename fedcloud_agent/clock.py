"""Instants and UTC months. An instant is an integer: seconds since the epoch, UTC, as the usage records have it.

A month is counted from year 0 (``year * 12 + month - 1``), so that months can be compared, subtracted and stored.
"""

from __future__ import annotations

import calendar
import time
from datetime import datetime, timezone
from functools import lru_cache

HOUR = 3600
DAY = 86400


def now() -> int:
    """Return the present instant. Pure code never calls this: it is handed the time."""
    return int(time.time())


def month_of(instant: int) -> int:
    """Return the UTC month that holds ``instant``."""
    return _month_of_day(instant // DAY)


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> int:
    moment = time.gmtime(day * DAY)
    return moment.tm_year * 12 + moment.tm_mon - 1


def month_start(month: int) -> int:
    """Return the first instant of ``month``."""
    return calendar.timegm((month // 12, month % 12 + 1, 1, 0, 0, 0))


def month_end(month: int) -> int:
    """Return the last instant of ``month``: 23:59:59 of its last day."""
    return month_start(month + 1) - 1


def month_name(month: int) -> str:
    """Return ``month`` as ``YYYY-MM``."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def parse_month(text: str) -> int:
    """Return the month written as ``YYYY-MM``. Raises ValueError for anything else."""
    year, separator, month = text.partition("-")
    if not (separator and len(year) == 4 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12):
        raise ValueError(f"{text!r} is not a month: expected YYYY-MM, such as 2026-11")
    return int(year) * 12 + int(month) - 1


def utc(instant: int) -> str:
    """Return ``instant`` for people: ``YYYY-MM-DD HH:MM:SS UTC``."""
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
