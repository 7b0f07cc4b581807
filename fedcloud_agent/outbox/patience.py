"""How long to try in vain: growing, jittered pauses, and an end."""

from __future__ import annotations

import random
import time
from typing import Callable, Optional

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Patience:
    """``seconds`` without progress, counted from the first failure."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.seconds = seconds
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._since: Optional[float] = None
        self._failures = 0

    def progress(self) -> None:
        """Begin anew: something was achieved."""
        self._since = None
        self._failures = 0

    def failed(self, since: Optional[float] = None) -> bool:
        """Pause before another try, and return True; return False at once when patience is spent.

        The first failure costs no pause. ``since`` is when the failed try began, if it took long to fail.
        """
        now = self._clock()
        if self._since is None:
            self._since = now if since is None else min(since, now)
        left = self._since + self.seconds - now
        if left <= 0:
            return False
        if self._failures:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
            self._sleep(min(pause * (0.5 + self._chance()), left))
        self._failures += 1
        return True
