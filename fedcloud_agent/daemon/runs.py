"""One run of a loop as the daemon sees it: a child process with a deadline, and how it ended."""

from __future__ import annotations

import logging
import shlex
import signal
import time
import uuid
from pathlib import Path
from typing import Optional, Protocol

from fedcloud_agent import outcome, process
from fedcloud_agent.daemon.loops import Loop
from fedcloud_agent.daemon.marked import Lost, signal_marked
from fedcloud_agent.daemon.state import InProgress
from fedcloud_agent.errors import AgentError, TryAgainError
from fedcloud_agent.outcome import DamagedOutcomeError, Outcome
from fedcloud_agent.process import Ended
from fedcloud_agent.settings import Duration

log = logging.getLogger(__name__)

TRY_AGAIN = TryAgainError.exit_code
CUT_SHORT = 143
"""128 and SIGTERM: it was told to end at its deadline."""


class Processes(Protocol):
    """What a run consists of while it lasts."""

    def poll(self) -> Optional[Ended]:
        """Return how it ended, or None."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of it."""


class Run:
    """A run in progress."""

    def __init__(self, loop: Loop, run: str, started: int, remaining: float) -> None:
        self.loop = loop
        self.run = run
        self.started = started
        self.deadline = started + loop.deadline
        self._begin = time.monotonic()
        self._limit = self._begin + remaining
        self._kill_at: Optional[float] = None
        self._because: Optional[str] = None
        self._exit_code: Optional[int] = None
        self._hint: Optional[str] = None
        self._processes: Optional[Processes] = None

    @classmethod
    def new(cls, loop: Loop, now: int) -> Run:
        """Return a run that has an identity and is not started yet."""
        return cls(loop, str(uuid.uuid4()), now, loop.deadline)

    @classmethod
    def lost(cls, loop: Loop, left: InProgress, now: int) -> Run:
        """Return a run that an earlier daemon started, with what remains of its time."""
        run = cls(loop, left.run, left.started, max(0, left.deadline - now))
        run.deadline = left.deadline
        run._processes = Lost(left.run)
        return run

    @property
    def in_progress(self) -> InProgress:
        """What a later daemon has to know of it."""
        return InProgress(self.run, self.loop.name, self.loop.cloud, self.started, self.deadline)

    @property
    def is_lost(self) -> bool:
        """Whether it is no child of ours, so that no signal tells its end."""
        return isinstance(self._processes, Lost)

    def start(self) -> None:
        """Start its process. Raises ProcessError when there can be none."""
        self._processes = process.start(self.loop.argv, env={outcome.RUN: self.run}, cwd=Path("/"))

    def fail(self, error: AgentError) -> None:
        """Note why it could not be started."""
        self._because, self._exit_code, self._hint = error.message, error.exit_code, error.hint

    def end(self, because: str, patience: float, exit_code: int = TRY_AGAIN) -> None:
        """Ask it to end; it is killed when it still runs after ``patience`` seconds."""
        if self._because is None and self._processes is not None:
            self._because, self._exit_code = because, exit_code
            self._kill_at = time.monotonic() + patience
            self._processes.signal(signal.SIGTERM)

    def poll(self, patience: float) -> Optional[Ended]:
        """Return how it ended, or None; sees to its deadline and kills what does not end when asked to."""
        assert self._processes is not None
        ended = self._processes.poll()
        if ended is not None:
            # what it started in sessions of their own must not outlive it either
            if signal_marked(self.run, signal.SIGKILL):
                log.warning("%s left processes behind; they were killed", self.loop.title)
            return ended
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._processes.signal(signal.SIGKILL)
            signal_marked(self.run, signal.SIGKILL)
        elif self._kill_at is None and now >= self._limit:
            allowed = Duration().write(self.deadline - self.started)
            self.end(f"it did not finish within {allowed} and was ended", patience, CUT_SHORT)
        return None

    @property
    def wake(self) -> float:
        """Seconds until it has to be looked at, signals apart."""
        limit = self._limit if self._kill_at is None else max(self._kill_at, time.monotonic() + 0.2)
        return min(limit - time.monotonic(), 1.0 if self.is_lost else float("inf"))

    def outcome(self, state: Path, ended: Ended, now: int) -> Optional[Outcome]:
        """Return what it left, or what we leave in its name; None when it found its loop busy and left nothing."""
        try:
            left = outcome.read(outcome.path_of(state, self.loop.name, self.loop.cloud))
        except DamagedOutcomeError as error:
            log.warning("%s", error)
            left = None
        mine = left if left is not None and left.run == self.run else None
        if mine is not None and (mine.good or self._because is None):
            return mine
        if ended.exit_code == TRY_AGAIN and self._because is None:
            return None
        return outcome.write(
            state,
            Outcome(
                loop=self.loop.name,
                cloud=self.loop.cloud,
                run=self.run,
                started=self.started,
                finished=now,
                seconds=round(time.monotonic() - self._begin, 3) if not self.is_lost else float(now - self.started),
                exit_code=self._exit_code or _code(ended),
                sentence=mine.sentence if mine else "",
                figures=mine.figures if mine else {},
                error=self._because or _death(ended),
                hint=self._hint if self._because else f"try it by hand: {shlex.join(self.loop.argv)}",
                memory=mine.memory if mine else ended.memory,
            ),
        )


def _code(ended: Ended) -> int:
    """Return an exit code that is never 0: who leaves no outcome did not do well."""
    if ended.exit_code is None:
        return TRY_AGAIN
    return ended.exit_code if ended.exit_code > 0 else 128 - ended.exit_code if ended.exit_code < 0 else 1


def _death(ended: Ended) -> str:
    if ended.exit_code is None:
        return "it ended unseen by any daemon and left no outcome"
    return f"it {process.how(ended.exit_code)} and left no outcome" if ended.exit_code else "it left no outcome"
