"""The processes of a run, wherever they went: found by the mark that they inherited in their environment.

Read from /proc itself, entry by entry: a service that sees nothing of /proc but processes (ProcSubset=pid) has no
/proc/stat, which psutil reads for whatever it is asked.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Collection, Dict, List, Optional

from fedcloud_agent.outcome import RUN
from fedcloud_agent.process import Ended

_PROC = Path("/proc")


def marked(runs: Collection[str]) -> Dict[str, List[int]]:
    """Return the process ids that belong to each of these runs; runs without any are left out. Never names ourselves.

    A process that has ended, reaped or not, belongs to no run any more.
    """
    found: Dict[str, List[int]] = {}
    marks = {f"{RUN}={run}".encode(): run for run in runs}
    for entry in os.listdir(_PROC) if marks else ():
        if entry.isdigit() and int(entry) != os.getpid():
            with contextlib.suppress(OSError):  # of another user, or gone meanwhile
                for variable in (_PROC / entry / "environ").read_bytes().split(b"\0"):
                    if variable in marks:
                        found.setdefault(marks[variable], []).append(int(entry))
    return found


def birth(pid: int) -> Optional[int]:
    """Return when a process began, in the kernel's ticks since boot, or None if there is no such process.

    A process id and its birth together belong to one process for ever.
    """
    try:
        # the name, in parentheses, may hold anything: count from its end
        return int((_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def signal_marked(run: str, number: signal.Signals) -> int:
    """Send a signal to every process of a run; returns how many there were."""
    pids = marked([run]).get(run, [])
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return len(pids)


class Lost:
    """A run whose daemon has died. It is let to its end; nobody but its outcome tells how that was."""

    def __init__(self, run: str) -> None:
        self._run = run

    def poll(self) -> Optional[Ended]:
        """Return that it ended, or None while any process of it lives."""
        return None if marked([self._run]) else Ended(None, None)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of it."""
        signal_marked(self._run, number)
