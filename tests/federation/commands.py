"""Runs the agent's commands as a person does, one after the other, in less time than that costs."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from tests.federation.preloaded import Preloaded


class Commands:
    """The first command in an environment starts as any program does.

    The later ones come from a process that has read the libraries already, unless another command is under way in it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment: Optional[Mapping[str, str]] = None
        self._preloaded: Optional[Preloaded] = None
        self._free = threading.Lock()

    def run(
        self, command: List[str], words: Sequence[str], environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one command: what starts the agent (an interpreter, ``-m``, a module, shared words), and its words."""
        usual = {name: value for name, value in environment.items() if name != "PYTEST_CURRENT_TEST"}
        if not self._free.acquire(blocking=False):
            return cold([*command, *words], environment, timeout)
        try:
            if usual != self._environment:
                self.close()
                self._environment = usual
                return cold([*command, *words], environment, timeout)
            if self._preloaded is None:
                self._directory.mkdir(exist_ok=True)
                self._preloaded = Preloaded(self._directory, command, usual).__enter__()
            done = self._preloaded.run(*words, seconds=timeout)
            return subprocess.CompletedProcess([*command, *words], done.code, done.out, done.err)
        finally:
            self._free.release()

    def close(self) -> None:
        """End the process that has read the libraries, if there is one."""
        if self._preloaded is not None:
            self._preloaded.__exit__()
            self._preloaded = None


def cold(command: Sequence[str], environment: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a command that begins with nothing."""
    return subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
