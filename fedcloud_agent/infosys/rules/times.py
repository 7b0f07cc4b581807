"""Rules about instants: what is in the future, what is stale, downtimes that contradict themselves."""

from __future__ import annotations

import calendar
import time
from functools import lru_cache
from typing import Iterator, Optional, Tuple

from fedcloud_agent.clock import DAY
from fedcloud_agent.infosys.entry import Entry

_YEAR = 365 * DAY
_TOLERANCE = 120
_END = "GLUE2Endpoint"


@lru_cache(maxsize=256)
def _parsed(value: str) -> Optional[int]:
    try:
        return calendar.timegm(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None


def instant(entry: Entry, attribute: str) -> Optional[int]:
    """Return a date of an entry as an instant; None when it is not there or no date."""
    value = entry.first(attribute)
    return None if value is None else _parsed(value)


def entity(entry: Entry, now: int) -> Iterator[Tuple[str, str]]:
    """Judge since when an entry holds and for how long."""
    created, validity = instant(entry, "GLUE2EntityCreationTime"), entry.first("GLUE2EntityValidity")
    if created is None:
        if validity is not None:
            yield "W002", "a validity without the time of creation"
        return
    if created > now + _TOLERANCE:
        yield "E001", f"made in the future, at {entry.first('GLUE2EntityCreationTime')}: one of the clocks is wrong"
    if created < now - 2 * _YEAR:
        yield "W001", "made more than two years ago"
    if validity is not None and validity.isdigit():
        # the validator takes a minute for ten
        seconds = 600 if int(validity) == 60 else int(validity)
        if created + seconds < now:
            yield "E002", f"out of date since {now - created - seconds} s"


def endpoint(entry: Entry, now: int) -> Iterator[Tuple[str, str]]:
    """Judge since when an endpoint runs, and its downtime."""
    started = instant(entry, f"{_END}StartTime")
    if started is not None and started > now:
        yield "E010", "started in the future"
    if started is not None and started < now - 2 * _YEAR:
        yield "W006", "started more than two years ago"
    announced, start, end = (instant(entry, f"{_END}Downtime{name}") for name in ("Announce", "Start", "End"))
    if announced is not None:
        if announced > now:
            yield "E011", "a downtime that is announced in the future"
        if announced < now - _YEAR:
            yield "W007", "a downtime that was announced more than a year ago"
        if start is None:
            yield "W008", "a downtime that is announced and never starts"
    if start is not None and end is not None and start > end:
        yield "E012", "a downtime that ends before it starts"
    if start is not None and end is None:
        if start > now + _YEAR:
            yield "W009", "a downtime that starts in more than a year"
        if start < now - _YEAR:
            yield "W010", "a downtime without end that started more than a year ago"
    if end is not None:
        if start is None:
            yield "E013", "a downtime that ends and never starts"
        if end > now + _YEAR:
            yield "W011", "a downtime that ends in more than a year"
        if end < now - 7 * DAY:
            yield "W012", "a downtime that is over for more than a week"
