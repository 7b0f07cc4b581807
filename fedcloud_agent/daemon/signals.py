"""Signals as flags: a handler only remembers, and the daemon's loop wakes up and looks."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Dict, Optional, Type


class Signals:
    """What we were asked for since we last looked. For the main thread, within a with block."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False

    def __enter__(self) -> Signals:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._before: Dict[signal.Signals, Any] = {
            number: signal.signal(number, self._remember)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        }
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def _remember(self, number: int, frame: Optional[FrameType]) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self.stop = True
        elif number == signal.SIGHUP:
            self.reload = True

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, a child's end included, or time is up."""
        select.select([self._read], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 512):
                pass
