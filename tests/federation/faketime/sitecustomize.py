"""Let Python sleep under libfaketime, which bends the deadlines of clock_nanosleep although it is told not to.

Since Python 3.11 ``time.sleep`` sleeps until an instant of the monotonic clock, and fails with EINVAL there.
"""

from __future__ import annotations

import os
import select
import time


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


if "FAKETIME_TIMESTAMP_FILE" in os.environ:
    time.sleep = _sleep
