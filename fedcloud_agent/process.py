"""The one door to child processes: no shell, a deadline, limits, and nobody left behind.

A child leads a process group of its own, so that a deadline ends it together with whatever it started. Its arguments
are logged, hence never hold a secret; its environment is not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union, cast

from fedcloud_agent.errors import AgentError

log = logging.getLogger(__name__)

# what systemd tells us, and us alone: a child that answered in our name would confuse it
_OURS_ALONE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")

_PATIENCE = 5.0
"""Seconds between the request to end and the end by force."""

MEBIBYTE = 1 << 20


class ProcessError(AgentError):
    """A program could not be started, or said that it failed (EX_OSERR)."""

    exit_code = 71


class DeadlineError(ProcessError):
    """A program did not finish in time and was ended with all that it had started."""


@dataclass(frozen=True)
class Completed:
    """What a program that ended by itself left."""

    argv: Tuple[str, ...]
    exit_code: int
    """Negative: the signal that ended it."""
    stdout: bytes
    stderr: bytes
    truncated: bool
    """Whether there was more output than was asked for."""
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a long-lived child ended."""

    exit_code: Optional[int]
    """Negative: the signal that ended it; None: it was not our own child, so nobody told us."""
    memory: Optional[int]
    """The most memory that it held at once, in bytes."""


def environment(extra: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return the environment of a child: ours, without what systemd means for us alone, with ``extra``."""
    base = {name: value for name, value in os.environ.items() if name not in _OURS_ALONE}
    return {**base, **(extra or {})}


def run(
    argv: Sequence[str],
    *,
    deadline: float,
    input: Union[bytes, Iterable[bytes], None] = None,
    env: Optional[Mapping[str, str]] = None,
    cwd: Optional[Path] = None,
    limit: int = MEBIBYTE,
    check: bool = True,
) -> Completed:
    """Run a program to its end and return what it said; at most ``limit`` bytes of each stream are kept.

    ``deadline`` is in seconds; ``env`` is added to our own environment; blocks of ``input`` are taken as they can be
    written, and when that raises, the program is ended. Raises DeadlineError when time is up (nothing
    of it runs any more then), ProcessError when it cannot be started or, with ``check``, when it fails.
    """
    begin = time.monotonic()
    stdin = subprocess.PIPE if input is not None else subprocess.DEVNULL
    child = _spawn(argv, env, cwd, stdin, subprocess.PIPE, subprocess.PIPE)
    try:
        blocks = (input or b"",) if input is None or isinstance(input, bytes) else input
        stdout, stderr = _exchange(child, iter(blocks), limit, begin + deadline)
        _await_end(child, begin + deadline)
    except subprocess.TimeoutExpired:
        _end(child)
        raise DeadlineError(
            f"{argv[0]} did not finish within {deadline:g} s and was ended",
            hint=f"try it by hand: {shlex.join(argv)}",
        ) from None
    except BaseException:
        _end(child)
        raise
    finally:
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
    truncated = len(stdout) > limit or len(stderr) > limit
    done = Completed(tuple(argv), child.returncode, stdout[:limit], stderr[:limit], truncated, time.monotonic() - begin)
    log.debug("%s: exit code %d after %.2f s", argv[0], done.exit_code, done.seconds)
    if check and done.exit_code != 0:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ProcessError(
            f"{argv[0]} {how(done.exit_code)}" + (f": {words[-1][:300]}" if words else ""),
            hint=f"try it by hand: {shlex.join(argv)}",
        )
    return done


class Child:
    """A child that lives beside us; whoever started it polls it and ends it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self._ended: Optional[Ended] = None

    def poll(self) -> Optional[Ended]:
        """Return how it ended, or None while it runs. What it left behind in its group ends with it."""
        if self._ended is None and _has_ended(self.pid):
            # as in _await_end: the group is its own until it is reaped
            _signal_group(self.pid, signal.SIGKILL)
            _, status, usage = os.wait4(self.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._ended = Ended(self._process.returncode, usage.ru_maxrss * 1024)
        return self._ended

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its group; a group that has gone is no error."""
        if self._ended is None:
            _signal_group(self.pid, number)


def start(
    argv: Sequence[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    cwd: Optional[Path] = None,
    stderr: Optional[int] = None,
) -> Child:
    """Start a program that lives beside us. It reads nothing and its output is dropped.

    Its standard error is the descriptor ``stderr``, or ours. Raises ProcessError when it cannot be started.
    """
    return Child(_spawn(argv, env, cwd, subprocess.DEVNULL, subprocess.DEVNULL, stderr))


def _spawn(
    argv: Sequence[str],
    env: Optional[Mapping[str, str]],
    cwd: Optional[Path],
    stdin: int,
    stdout: int,
    stderr: Optional[int],
) -> subprocess.Popen[bytes]:
    log.debug("running %s", shlex.join(argv))
    try:
        return subprocess.Popen(  # noqa: S603 -- an argument list, never a shell
            list(argv),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment(env),
            cwd=cwd,
            close_fds=True,
            start_new_session=True,
            restore_signals=True,
        )
    except FileNotFoundError as error:
        missing = cwd if cwd is not None and not cwd.is_dir() else argv[0]
        raise ProcessError(
            f"{missing} cannot be run: it is not there", hint="install the package that brings it"
        ) from error
    except OSError as error:
        raise ProcessError(f"{argv[0]} cannot be run: {error.strerror}") from error


def _exchange(
    child: subprocess.Popen[bytes], blocks: Iterator[bytes], limit: int, deadline: float
) -> Tuple[bytes, bytes]:
    """Write the input and read both streams until they end. What exceeds the limit is read and dropped."""
    kept: Dict[IO[bytes], List[bytes]] = {}
    sizes: Dict[IO[bytes], int] = {}
    blocks = filter(None, blocks)
    view = memoryview(next(blocks, b""))
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            kept[stream], sizes[stream] = [], 0
            selector.register(stream, selectors.EVENT_READ)
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            selector.register(child.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise subprocess.TimeoutExpired(child.args, 0)
            for key, events in selector.select(remaining):
                stream = cast("IO[bytes]", key.fileobj)
                if events & selectors.EVENT_WRITE:
                    try:
                        view = view[os.write(stream.fileno(), view[:65536]) :]
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        view, blocks = (
                            view[:0],
                            iter(()),
                        )  # it reads no further: its exit code tells whether that was right
                    if not view:
                        view = memoryview(next(blocks, b""))
                    if not view:
                        selector.unregister(stream)
                        stream.close()
                    continue
                data = os.read(stream.fileno(), 65536)
                if not data:
                    selector.unregister(stream)
                elif sizes[stream] <= limit:
                    kept[stream].append(data)
                    sizes[stream] += len(data)
    stdout, stderr = (b"".join(chunks) for chunks in kept.values())
    return stdout, stderr


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a whole group: ask, wait, then force."""
    if child.returncode is None:
        _signal_group(child.pid, signal.SIGTERM)
        try:
            _await_end(child, time.monotonic() + _PATIENCE)
        except subprocess.TimeoutExpired:
            _signal_group(child.pid, signal.SIGKILL)
            child.wait()


def _await_end(child: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for the child, end what it left in its group, and reap it. Raises TimeoutExpired."""
    pause = 0.001
    while not _has_ended(child.pid):
        if time.monotonic() >= deadline:
            raise subprocess.TimeoutExpired(child.args, 0)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    # until it is reaped its number belongs to nobody else, so the group is still its own
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def how(exit_code: int) -> str:
    """Say how a program ended: "failed with exit code 3", "was ended by SIGKILL"."""
    if exit_code >= 0:
        return f"failed with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"
