"""Locks between processes. The kernel frees them with their holder, so none is ever stale.

A lock is a file that stays; what is locked is its inode. Its content tells people who holds it and decides nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Iterator

from fedcloud_agent import clock, durable
from fedcloud_agent.errors import CannotCreateError, StorageError, TryAgainError


class LockedError(TryAgainError):
    """Another process does what we wanted to do."""


@contextlib.contextmanager
def held(path: Path, what: str, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock ``path`` for the length of a with block; ``what`` names the work in the words of the error.

    Waits up to ``patience`` seconds. Raises LockedError, which names the holder, when it is still taken then.
    """
    durable.make_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise CannotCreateError(
            f"the lock {path} cannot be opened: {error.strerror}", hint="run this command as the agent's own user"
        ) from error
    try:
        _take(descriptor, path, what, time.monotonic() + patience)
        _sign(descriptor)
        yield
    finally:
        # closing alone would not do: a child between fork and exec still shares the descriptor, and so the lock
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _take(descriptor: int, path: Path, what: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"{what} is being done by {_holder(descriptor)}",
                    hint="wait until it has finished; 'fedcloud-agent status' tells how it fares",
                ) from None
            time.sleep(0.05)
        except OSError as error:
            raise StorageError(f"{path} cannot be locked: {error.strerror}") from error
        else:
            return


def _sign(descriptor: int) -> None:
    text = json.dumps({"pid": os.getpid(), "started": clock.now(), "command": shlex.join(sys.argv)[:300]})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {int(holder['pid'])} since {clock.utc(int(holder['started']))} ({holder['command']})"
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        # it holds the lock, and has not written its name yet
        return "another process"
