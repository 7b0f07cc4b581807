"""One way to run a server: start, wait until it is ready, stop, read its log.

A server lives in a directory of its own, on a port below the ephemeral range of loopback, in a process group of its own
that dies with us. Use it as a context manager.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Type, TypeVar

C = TypeVar("C", bound="Controller")

_ROOT = Path(__file__).resolve().parents[2]
MODULES = os.pathsep.join([str(_ROOT), str(_ROOT / "plugins")])
"""The path on which a process finds this very tree."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, outside of the kernel's ephemeral range."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20000 and 32000")


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Controller:
    """A server in a child process. Subclasses say its command and, where a port is not enough, what ready means."""

    name = "server"
    ready_seconds = 60.0
    stop_seconds = 15.0

    def __init__(self, directory: Path, port: Optional[int] = None) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.process: Optional[subprocess.Popen[bytes]] = None

    def command(self) -> List[str]:
        """Return the argument list that starts the server."""
        raise NotImplementedError

    def environment(self) -> Dict[str, str]:
        """Return the server's environment."""
        return dict(os.environ)

    def working_directory(self) -> Optional[Path]:
        """Return where the server runs, and leaves what it drops when it dies; None: where we are."""
        return None

    def prepare(self) -> None:
        """Write what the server reads before it starts."""

    @property
    def log(self) -> Path:
        """Everything that the server wrote to its standard output and error, over all its starts."""
        return self.directory / f"{self.name}.log"

    def is_ready(self) -> bool:
        """Tell whether the server takes calls: it accepts a connection."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def start(self: C) -> C:
        """Start and wait until ready; raises with the end of the log when it does not come up."""
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.working_directory(),
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        deadline = time.monotonic() + self.ready_seconds
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{self.name} did not come up on port {self.port}:\n{tail}")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """Ask it to end, then end it with its children."""
        self._end(signal.SIGTERM, self.stop_seconds)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._end(signal.SIGKILL, 0)

    def _end(self, sign: signal.Signals, patience: float) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        group = process.pid
        try:
            os.killpg(group, sign)
            process.wait(patience or None)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        process.wait()

    def restart(self: C) -> C:
        """Stop and start on the same port with the same directory."""
        self.stop()
        return self.start()

    def __enter__(self: C) -> C:
        return self.start()

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()


class PythonServer(Controller):
    """A server whose command runs a package of this tree."""

    def environment(self) -> Dict[str, str]:
        """Return the server's environment: it imports this very tree."""
        return {**super().environment(), "PYTHONPATH": MODULES}
