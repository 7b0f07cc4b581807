"""Read by each Python whose clock is faked: libfaketime spoils the sleep of Python 3.11 and later, which waits until an
instant of the monotonic clock (EINVAL). Waiting for an event takes another way.
"""

from __future__ import annotations

import threading
import time


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


time.sleep = _sleep
