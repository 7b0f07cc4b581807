"""The frame around every run of a loop, typed or scheduled: lock, time, outcome, one sentence."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import threading
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Dict, Iterator, Optional

import click

from fedcloud_agent import clock, locks, outcome
from fedcloud_agent import log as logs
from fedcloud_agent.errors import AgentError
from fedcloud_agent.outcome import Figure, Outcome

log = logging.getLogger(__name__)


class TerminatedExit(SystemExit):
    """The run was told to end. No error of ours, and nothing that a handler of errors may swallow."""


class Run:
    """A run in progress; what it tells last is what people read."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.sentence = ""
        self.figures: Dict[str, Figure] = {}

    def tell(self, sentence: str, **figures: Figure) -> None:
        """Say what was done so far, in words with counts and without a final full stop; figures are kept by name."""
        self.sentence = sentence
        self.figures.update(figures)


@contextlib.contextmanager
def run_of(state: Path, loop: str, cloud: Optional[str] = None) -> Iterator[Run]:
    """Hold the loop's lock, time the run, and write its outcome also when it fails or is told to end.

    Raises LockedError (and leaves no outcome: the outcome belongs to the run that holds the lock) when the same loop
    runs already. Under the daemon the error that is raised counts as reported, since the daemon reads the outcome and
    says it; a bug of ours always shows its traceback.
    """
    scheduled = os.environ.get(outcome.RUN)
    run = Run(scheduled or str(uuid.uuid4()))
    with _lock(state, loop, cloud, quiet=scheduled is not None), logs.about(loop=loop, cloud=cloud, run=run.run):
        started, begin = clock.now(), time.monotonic()

        def leave(exit_code: int, error: Optional[str] = None, hint: Optional[str] = None) -> bool:
            """Write the outcome; tell whether that was possible."""
            try:
                done = outcome.write(
                    state,
                    Outcome(
                        loop=loop,
                        cloud=cloud,
                        run=run.run,
                        started=started,
                        finished=clock.now(),
                        seconds=round(time.monotonic() - begin, 3),
                        exit_code=exit_code,
                        sentence=run.sentence,
                        figures=run.figures,
                        error=error,
                        hint=hint,
                        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                    ),
                )
            except AgentError as unwritten:
                if exit_code == 0:
                    raise
                # what ended the run is what a person has to hear; most often it is the cause of this, too
                log.warning("%s", unwritten)
                return False
            if not scheduled and done.good:
                log.info("%s", outcome.describe(done), extra={"message_id": logs.RUN_FINISHED})
            elif not scheduled:
                # the error itself is shown by the command line, once
                log.debug("%s", outcome.describe(done), extra={"message_id": logs.RUN_FAILED})
            return True

        with _terminable() as ending:
            try:
                yield run
            except AgentError as error:
                error.reported = leave(error.exit_code, error.message, error.hint) and scheduled is not None
                raise
            except TerminatedExit:
                leave(143, "it was told to end (SIGTERM)")
                raise
            except KeyboardInterrupt:
                leave(130, "it was interrupted")
                raise
            except click.ClickException as error:
                leave(error.exit_code, error.format_message())
                raise
            except click.exceptions.Exit as error:
                leave(error.exit_code)
                raise
            except SystemExit as error:
                leave(error.code if isinstance(error.code, int) else int(bool(error.code)))
                raise
            except BaseException as error:
                if ending.told:
                    # it came in the midst of a library's work, which made another error of it
                    leave(143, "it was told to end (SIGTERM)")
                    raise TerminatedExit(143) from error
                leave(1, f"{type(error).__name__}: {error}", "this is a fault of ours: please report the traceback")
                raise
        leave(0)


@contextlib.contextmanager
def _lock(state: Path, loop: str, cloud: Optional[str], *, quiet: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(
                locks.held(outcome.lock_of(state, loop, cloud), f"a run of {outcome.title(loop, cloud)}")
            )
        except locks.LockedError as error:
            error.reported = quiet
            raise
        yield


class _Ending:
    """``told``: whether SIGTERM came."""

    told = False


@contextlib.contextmanager
def _terminable() -> Iterator[_Ending]:
    """Let SIGTERM unwind the run instead of cutting it, so that the outcome is written and children end with us."""
    ending = _Ending()
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return

    def terminate(number: int, frame: Optional[FrameType]) -> None:
        ending.told = True
        raise TerminatedExit(143)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGTERM, before)
