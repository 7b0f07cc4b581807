"""Child processes, and what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1 << 20


class Cost(NamedTuple):
    """What a process cost: seconds (``cpu``: user and system), and the largest resident set in MB."""

    wall: float
    cpu: float
    peak: float
    output: str


def environment(**more: str) -> Dict[str, str]:
    """Return the environment in which children find this tree."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]), **more}


def run(command: Sequence[str], env: Dict[str, str], timeout: float = 900) -> Cost:
    """Run a command to its end. Raises RuntimeError with what it said when it fails, or does not end in time."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(list(command), env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        usage = None
        while usage is None:
            pid, status, spent = os.wait4(child.pid, os.WNOHANG)
            if pid:
                wall, usage = time.perf_counter() - began, spent
            elif time.perf_counter() - began > timeout:
                child.kill()
                child.wait()
                raise RuntimeError(f"{' '.join(command)}: not done in {timeout:g} s")
            else:
                time.sleep(0.0005)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}\n{text[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MEGABYTE, text)


class Start:
    """What it costs to start a command without letting it do anything: a process that imports the same modules."""

    def __init__(self, command: Sequence[str], env: Dict[str, str], file: Path) -> None:
        """Run the command once to see which modules it imports. It is a Python command line."""
        traced = run([command[0], "-X", "importtime", *command[1:]], env).output
        names = [
            line.rpartition("|")[2].strip()
            for line in traced.splitlines()
            if line.startswith("import time:") and not line.rstrip().endswith("imported package")
        ]
        file.write_text("\n".join(names))
        self._command = [sys.executable, "-m", "bench.imports", str(file)]
        self._env = env

    def cost(self) -> Cost:
        """Measure it."""
        return run(self._command, self._env)
