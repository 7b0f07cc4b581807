"""The daemon's life on one page: start runs when they are due, see them end, say how it went.

One thread. A run is a child process; the daemon knows of its work only what its outcome file says. Signals set flags;
whatever happens, happens in :meth:`Daemon._cycle`.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from pathlib import Path
from typing import Deque, Dict, Optional

from fedcloud_agent import __version__, clock, durable, locks, outcome
from fedcloud_agent import log as logs
from fedcloud_agent.daemon import due, state
from fedcloud_agent.daemon.loops import Load, Loaded, Loop
from fedcloud_agent.daemon.marked import birth, marked
from fedcloud_agent.daemon.notify import notify, reloading, watchdog_period
from fedcloud_agent.daemon.runs import TRY_AGAIN, Run
from fedcloud_agent.daemon.signals import Signals
from fedcloud_agent.daemon.state import DaemonState, Planned
from fedcloud_agent.daemon.timetable import Timetable
from fedcloud_agent.errors import AgentError, StorageError, UnreachableError
from fedcloud_agent.process import Ended

log = logging.getLogger(__name__)

TICK = 20.0
"""The longest sleep in seconds: how late a step of the clock, or waking from suspension, is noticed."""

STEP = 5.0
"""A difference in seconds between the two clocks that is no drift."""


class Daemon:
    """Runs every loop on its schedule, in the state directory ``directory``."""

    def __init__(self, directory: Path, load: Load) -> None:
        self._directory = directory
        self._load = load
        self._loaded = Loaded((), b"")
        self._loops: Dict[str, Loop] = {}
        self._running: Dict[str, Run] = {}
        self._queue: Deque[str] = deque()
        self._began: Dict[str, int] = {}
        self._planned: Dict[str, int] = {}
        self._fault: Optional[str] = None
        self._started = self._loaded_at = clock.now()
        self._timetable = Timetable(self._queue.append)
        self._offset = time.time() - time.monotonic()
        self._watchdog = watchdog_period()
        self._written: Optional[DaemonState] = None
        self._said = ""

    def run(self) -> None:
        """Run until told to stop. Raises AgentError when it cannot begin."""
        with locks.held(state.lock_of(self._directory), "the work of the daemon", patience=2), Signals() as signals:
            before = self._earlier()
            self._accept(self._load())
            self._adopt(before)
            self._plan_all()
            log.info("fedcloud-agent %s is ready: %s", __version__, self._sentence())
            self._write()
            notify(READY=1, STATUS=self._sentence())
            while not signals.stop:
                if signals.reload:
                    signals.reload = False
                    self._reload()
                signals.wait(self._cycle())
            notify(STOPPING=1, STATUS=f"ending {len(self._running)} runs" if self._running else "ending")
            self._end(signals)

    def _cycle(self) -> float:
        """Do all that is to be done now; returns the seconds for which nothing will be, unless a signal comes."""
        self._heed_clock()
        self._reap()
        wait = self._timetable.turn()
        while self._queue and len(self._running) < self._loaded.settings.parallel:
            self._begin(self._queue.popleft())
        self._write()
        self._say()
        if self._watchdog is not None:
            notify(WATCHDOG=1)
        return min([wait, TICK, self._watchdog or TICK, *(run.wake for run in self._running.values())])

    # ---------------------------------------------------------------- configuration

    def _accept(self, loaded: Loaded) -> None:
        for loop in loaded.loops:
            due.check(loop.when)
        durable.make_directory(self._directory)
        durable.write_whole(state.snapshot_of(self._directory), loaded.snapshot, mode=0o600)
        self._loaded, self._loaded_at, self._fault = loaded, clock.now(), None
        self._loops = {loop.key: loop for loop in loaded.loops}
        for fault in loaded.faults:
            log.error("left out: %s", fault)

    def _reload(self) -> None:
        reloading()
        try:
            self._accept(self._load())
        except AgentError as error:
            self._fault = error.message
            log.error("the new configuration is not used, the old one stays: %s", error.message)
        except Exception as error:
            # a fault of ours or of a plugin's table must not end the runs of every other cloud
            self._fault = f"{type(error).__name__}: {error}"
            log.exception("the new configuration is not used, the old one stays")
        else:
            for key in set(self._timetable.planned()) - set(self._loops):
                self._timetable.forget(key)
            self._plan_all()
            log.info("the configuration was read anew: %s", self._sentence())
        notify(READY=1, STATUS=self._sentence())

    # ---------------------------------------------------------------- schedule

    def _plan_all(self) -> None:
        for key in self._loops:
            if key not in self._running and key not in self._queue:
                self._plan(key)

    def _plan(self, key: str) -> None:
        loop = self._loops.get(key)
        if loop is None:
            return
        now = clock.now()
        instant = due.next_due(self._began.get(key, self._last(loop)), loop.when, now)
        if instant is None:
            self._timetable.forget(key)
        else:
            self._planned[key] = instant
            self._timetable.plan(key, instant)

    def _last(self, loop: Loop) -> Optional[int]:
        try:
            last = outcome.read(outcome.path_of(self._directory, loop.name, loop.cloud))
        except outcome.DamagedOutcomeError as error:
            log.warning("%s", error)
            return None
        if last is not None and last.exit_code == TRY_AGAIN:
            # it was cut short, by the end of a daemon say, so its turn is still owed
            return last.succeeded or 0
        return last.started if last else None

    def _heed_clock(self) -> None:
        offset = time.time() - time.monotonic()
        if abs(offset - self._offset) > STEP:
            log.warning("the clock jumped by %+.0f s; every loop is planned anew", offset - self._offset)
            self._plan_all()
        self._offset = offset

    # ---------------------------------------------------------------- runs

    def _begin(self, key: str) -> None:
        loop = self._loops.get(key)
        if loop is None or key in self._running:
            return
        run = Run.new(loop, clock.now())
        # counted from its turn and not from now, so that seconds do not add up to drift
        turn = self._planned.get(key, run.started)
        self._began[key] = turn if 0 <= run.started - turn < TICK else run.started
        self._running[key] = run
        self._write()
        try:
            run.start()
        except AgentError as error:
            del self._running[key]
            run.fail(error)
            self._finish(key, run, Ended(None, None))

    def _reap(self) -> None:
        for key, run in list(self._running.items()):
            ended = run.poll(self._loaded.settings.stop_timeout)
            if ended is not None:
                del self._running[key]
                self._finish(key, run, ended)

    def _finish(self, key: str, run: Run, ended: Ended) -> None:
        now = clock.now()
        try:
            result = run.outcome(self._directory, ended, now)
        except AgentError as error:
            log.error("%s: its outcome cannot be written: %s", run.loop.title, error.message)
            self._plan(key)
            return
        if result is None:
            log.info("%s: busy with another run; tried again soon", run.loop.title)
        else:
            self._tell(result)
        if result is not None and result.exit_code != TRY_AGAIN:
            self._plan(key)
        elif key in self._loops:
            self._timetable.plan(key, now + self._loaded.settings.retry)

    def _tell(self, result: outcome.Outcome) -> None:
        with logs.about(loop=result.loop, cloud=result.cloud, run=result.run):
            text = outcome.describe(result)
            if result.good:
                log.info("%s", text, extra={"message_id": logs.RUN_FINISHED})
            else:
                level = (
                    logging.WARNING if result.exit_code in (UnreachableError.exit_code, TRY_AGAIN) else logging.ERROR
                )
                text += f"; {result.hint}" if result.hint else ""
                log.log(level, "%s", text, extra={"message_id": logs.RUN_FAILED})

    # ---------------------------------------------------------------- before us and after us

    def _earlier(self) -> Optional[DaemonState]:
        try:
            return state.read(self._directory)
        except StorageError as error:
            log.warning("%s", error.message)
            return None

    def _adopt(self, before: Optional[DaemonState]) -> None:
        """Take over the runs that a daemon left which did not end in good order."""
        left = {item.run: item for item in before.running} if before else {}
        alive = marked(list(left))
        for run, item in left.items():
            key = outcome.key(item.loop, item.cloud)
            loop = self._loops.get(key, Loop(item.loop, item.cloud, (), item.deadline - item.started, ()))
            adopted = Run.lost(loop, item, clock.now())
            if run in alive:
                self._began[key] = item.started
                log.warning("%s still runs since an earlier daemon; it is let to its end", loop.title)
                self._running[key] = adopted
                if key not in self._loops:
                    adopted.end("its loop is no longer configured", self._loaded.settings.stop_timeout)
            else:
                self._finish(key, adopted, Ended(None, None))

    def _end(self, signals: Signals) -> None:
        """End every run in order: ask, wait, kill."""
        patience = self._loaded.settings.stop_timeout
        self._queue.clear()
        self._loops = {}
        for run in self._running.values():
            run.end("it was ended because the daemon stopped", patience)
        while self._running:
            self._reap()
            if self._watchdog is not None:
                notify(WATCHDOG=1)
            if self._running:
                signals.wait(min([self._watchdog or TICK, *(run.wake for run in self._running.values())]))
        self._timetable.close()
        self._write(stopped=clock.now())
        log.info("fedcloud-agent has stopped")

    # ---------------------------------------------------------------- what others see

    def _write(self, stopped: Optional[int] = None) -> None:
        planned = self._timetable.planned() if stopped is None else {}
        content = DaemonState(
            pid=os.getpid(),
            birth=birth(os.getpid()),
            started=self._started,
            written=self._written.written if self._written else 0,
            stopped=stopped,
            loaded=self._loaded_at,
            fault=self._fault,
            faults=self._loaded.faults,
            loops=tuple(
                Planned(loop.name, loop.cloud, " and ".join(map(str, loop.when)), planned.get(loop.key))
                for loop in self._loaded.loops
            ),
            running=tuple(run.in_progress for run in self._running.values()),
        )
        if content != self._written:
            self._written = DaemonState(**{**vars(content), "written": clock.now()})
            try:
                state.write(self._directory, self._written)
            except AgentError as error:
                log.error("%s", error.message)

    def _say(self) -> None:
        sentence = self._sentence()
        if sentence != self._said:
            self._said = sentence
            notify(STATUS=sentence)

    def _sentence(self) -> str:
        """Return how the daemon fares, in one line."""
        parts = [f"{len(self._loops)} loops"]
        if self._running:
            parts.append("running " + ", ".join(run.loop.title for run in self._running.values()))
        planned = sorted((instant, key) for key, instant in self._timetable.planned().items() if key in self._loops)
        if planned:
            parts.append(f"next {self._loops[planned[0][1]].title} at {clock.utc(planned[0][0])}")
        if self._loaded.faults:
            parts.append(f"{len(self._loaded.faults)} parts of the configuration left out")
        if self._fault:
            parts.append("a newer configuration is faulty and not in use")
        return "; ".join(parts)
