"""Times as clouds write them, moved by a constant or left as they are."""

from __future__ import annotations

import calendar
import re
import time
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Optional

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?", re.ASCII)
_NONSENSE = re.compile(r"-?\d{1,8}", re.ASCII)
# oned has UTC where HTTP has GMT
_HTTP = re.compile(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|UTC|[+-]\d{4})", re.ASCII)


def moved(text: str, seconds: int) -> Optional[str]:
    """Return the time that ``text`` writes, later by so many seconds, in the same spelling; None if it is no time."""
    if _NONSENSE.fullmatch(text):
        # not set, or set wrongly
        return text
    iso = _ISO.fullmatch(text)
    try:
        if iso is not None:
            day, middle, clock, fraction, zone = iso.groups()
            moment = datetime.fromisoformat(f"{day} {clock}") + timedelta(seconds=seconds)
            return moment.strftime(f"%Y-%m-%d{middle}%H:%M:%S") + (fraction or "") + (zone or "")
        http = _HTTP.fullmatch(text)
        if http is not None:
            later = format_datetime(parsedate_to_datetime(text) + timedelta(seconds=seconds))
            return later[:-5] + http.group(1) if seconds else text
    except (ValueError, TypeError, OverflowError):
        return None
    if _EPOCH.fullmatch(text):
        whole, dot, fraction = text.partition(".")
        return f"{int(whole) + seconds}{dot}{fraction}"
    return None


def written(instant: int) -> str:
    """Return an instant in ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))


def read(text: str) -> int:
    """Return the instant that :func:`written` wrote. Raises ValueError for anything else."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
