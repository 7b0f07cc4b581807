"""The identity of a message: the name that it would have in an ssmsend spool, ``5ba24c88/5ba24c8f0f129d``.

Eight digits name the minute (epoch seconds, floored to 60), then eight the second, five the microsecond and one is
free. Both sides write it to their logs, and names sort as they were made.
"""

from __future__ import annotations

import re
import secrets
import threading
import time

_FORM = re.compile(r"[0-9a-f]{8}/[0-9a-f]{14}")
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return an identity that this process never gave before, greater than all that it gave.

    The free digit is random, and an identity already given in the same microsecond moves on to the next one, so that
    two processes meet only by sixteen to one odds within one microsecond; the outbox, where identities are unique,
    settles that.
    """
    global _last
    with _lock:
        moment = max(time.time_ns() // 1000, _last + 1)
        _last = moment
    return _name(moment, secrets.randbelow(16))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an identity; only such a text may become part of a path or of a header."""
    return _FORM.fullmatch(text) is not None


def _name(microseconds: int, digit: int) -> str:
    second, fraction = divmod(microseconds, 1_000_000)
    return f"{second - second % 60:08x}/{second:08x}{fraction:05x}{digit:01x}"
