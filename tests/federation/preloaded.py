"""The agent's commands in processes that have read their libraries already: each takes tenths of a second.

A parent imports what the commands use and forks a child for each of them; the child enters the command line by its own
door, :func:`fedcloud_agent.cli.main.main`, and ends as a process of its own. It can be held at the door, so that strace
takes hold of it before it does anything.

``python -m tests.federation.preloaded`` is that parent: it reads one JSON document a line, {"words": [...], "outputs":
[PATH, PATH], "held": bool}, and answers with {"pid": N}, then {"status": N}, as waitpid tells it.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

_LIBRARIES = """
fedcloud_agent.cli.accounting.group fedcloud_agent.cli.accounting.trial fedcloud_plugins.openstack.plugin
fedcloud_plugins.opennebula.plugin fedcloud_plugins.opennebula.connection fedcloud_plugins.opennebula.walk
fedcloud_agent.outbox.stomp fedcloud_agent.outbox.ams
fedcloud_agent.outbox.directory fedcloud_agent.store.copies fedcloud_agent.pki.envelope
fedcloud_agent.cli.status keystoneauth1.session keystoneauth1.identity.v3 requests sqlalchemy.dialects.sqlite
alembic.command cryptography.x509
fedcloud_agent.cli.infosys.round fedcloud_agent.infosys.documents ldap
""".split()
_PR_SET_PDEATHSIG = 1
_PR_SET_PTRACER = 0x59616D61
_ANYONE = ctypes.c_ulong(-1)
_libc = ctypes.CDLL(None)


class Done(NamedTuple):
    """How a command ended: ``code`` is negative for a signal."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """What it wrote to both outputs."""
        return self.out + self.err

    @property
    def killed(self) -> bool:
        """Whether it was killed."""
        return self.code == -signal.SIGKILL


class Preloaded:
    """The parent of the commands. Use it as a context manager."""

    def __init__(self, directory: Path, command: List[str], environment: Mapping[str, str]) -> None:
        """``command`` starts the agent: an interpreter, ``-m``, a module, and the words that all commands share."""
        self._outputs = [directory / "command.out", directory / "command.err"]
        self._words = command[3:]
        self._began = 0.0
        self._process = subprocess.Popen(
            [command[0], "-m", "tests.federation.preloaded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # an answer that was read ahead would not be seen by select
            env=dict(environment),
            cwd=Path(__file__).resolve().parents[2],
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )

    def __enter__(self) -> Preloaded:
        self._answer(60)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def start(self, *words: str, held: bool = False) -> int:
        """Start a command and return its process; :meth:`end` must follow. ``held``: it waits for SIGCONT."""
        assert self._process.stdin is not None
        ask = {"words": [*self._words, *words], "outputs": [str(path) for path in self._outputs], "held": held}
        self._began = time.monotonic()
        self._process.stdin.write(json.dumps(ask).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._answer(20)["pid"])

    def end(self, seconds: float = 120) -> Done:
        """Wait until the command has ended."""
        status = os.waitstatus_to_exitcode(int(self._answer(seconds)["status"]))
        out, err = (path.read_text(errors="replace") for path in self._outputs)
        return Done(status, out, err, time.monotonic() - self._began)

    def run(self, *words: str, seconds: float = 120) -> Done:
        """Run a command to its end."""
        self.start(*words)
        return self.end(seconds)

    def run_until(self, call: str, number: int, *words: str) -> Done:
        """Run a command that is killed when it enters the system call ``call`` for the ``number``-th time.

        Each of its threads counts for itself.
        """
        pid = self.start(*words, held=True)
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", *inject, "-p", str(pid)])
        try:
            _await(lambda: _is_traced(pid) or tracer.poll() is not None, 20)
            assert tracer.poll() is None, "strace did not take hold of the command"
            os.kill(pid, signal.SIGCONT)
            return self.end()
        finally:
            tracer.wait(20)

    def _answer(self, seconds: float) -> Dict[str, Any]:
        stream = self._process.stdout
        assert stream is not None
        if not select.select([stream], [], [], seconds)[0]:
            said = "".join(path.read_text(errors="replace") for path in self._outputs if path.exists())
            raise AssertionError(f"no answer within {seconds:g} s; the command said:\n{said}")
        line = stream.readline()
        if not line:
            raise AssertionError("the parent of the commands has ended")
        answer: Dict[str, Any] = json.loads(line)
        return answer


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text()


def _await(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing within {seconds:g} s")
        time.sleep(0.005)


def _serve() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)
    _say({})
    for line in sys.stdin.buffer:
        ask = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _command(ask["words"], ask["outputs"], ask["held"])
        if ask["held"]:
            os.waitpid(pid, os.WUNTRACED)
        _say({"pid": pid})
        _say({"status": os.waitpid(pid, 0)[1]})


def _say(document: Dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(document).encode() + b"\n")
    sys.stdout.buffer.flush()


def _command(words: List[str], outputs: List[str], held: bool) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _libc.prctl(_PR_SET_PTRACER, _ANYONE)
    os.setsid()
    for target, path in enumerate((os.devnull, *outputs)):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, target)
        os.close(descriptor)
    code: Optional[int] = 1
    try:
        from fedcloud_agent.cli.main import main

        sys.argv = ["fedcloud-agent", *words]
        if held:
            os.kill(os.getpid(), signal.SIGSTOP)
        code = main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    _serve()
