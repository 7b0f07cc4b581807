"""The identity of a message: the name that it would have in an ssmsend spool, ``5ba24c88/5ba24c8f0f129d``.

Eight digits name the minute (epoch seconds, floored to 60), then eight the second, five the microsecond and one is
free. Both sides write it to their logs, and names sort as they were made.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from typing import Optional

_FORM = re.compile(r"[0-9a-f]{8}/[0-9a-f]{14}")
_lock = threading.Lock()
_last = 0


def new_id(after: Optional[str] = None) -> str:
    """Return an identity that this process never gave before, greater than all that it gave and than ``after``.

    The free digit is random, so that two processes that know nothing of each other meet only by sixteen to one odds
    within one microsecond. The queue hands in its last identity: there none comes twice, whatever the clock does.
    """
    global _last
    with _lock:
        moment = max(time.time_ns() // 1000, _last + 1, _microseconds(after) + 1 if after else 0)
        _last = moment
    return _name(moment, secrets.randbelow(16))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an identity; only such a text may become part of a path or of a header."""
    return _FORM.fullmatch(text) is not None


def _microseconds(identity: str) -> int:
    return int(identity[9:17], 16) * 1_000_000 + int(identity[17:22], 16)


def _name(microseconds: int, digit: int) -> str:
    second, fraction = divmod(microseconds, 1_000_000)
    return f"{second - second % 60:08x}/{second:08x}{fraction:05x}{digit:01x}"
