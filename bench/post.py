"""A real broker, a queue in the store that waits for it, and the ways in which its messages can be sent."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import List

from bench import child
from bench.child import Start
from bench.session import Session
from tests.federation.authority import Authority
from tests.federation.broker import Broker

RECORDS = 100


class Post:
    """A broker that runs, and a ledger whose queue holds ``messages`` messages of RECORDS records."""

    def __init__(self, directory: Path, messages: int) -> None:
        self.messages = messages
        self._directory = directory
        self._environment = child.environment()
        self._template, self._state = directory / "template", directory / "state"
        self._queues = 0
        authority = Authority(directory / "ca")
        self._host, self._anchors = authority.host("agent.example.org"), authority.anchors
        self._authority_file = authority.certificate
        self.broker = Broker(directory / "broker", authority, heap="3g")

    def __enter__(self) -> Post:
        command = [sys.executable, "-m", "bench.outgoing", str(self._template), str(self.messages), str(RECORDS)]
        child.run(command, self._environment)
        self.broker.start()
        self._renew()
        self._start = Start(self._command, self._environment, self._directory / "modules")
        return self

    def __exit__(self, *_: object) -> None:
        self.broker.stop()

    @property
    def _command(self) -> List[str]:
        return [sys.executable, "-m", "fedcloud_agent", "--config", str(self._directory / "etc"), "accounting", "send"]

    def agent(self) -> float:
        """Send everything by the agent's own command and return messages by second."""
        start = self._start.cost().wall
        self._renew()
        cost = child.run(self._command, self._environment)
        if f"{self.messages} messages acknowledged, 0 messages waiting" not in cost.output:
            raise RuntimeError(f"not everything was sent:\n{cost.output}")
        return self.messages / (cost.wall - start)

    def loop(self, kind: str, messages: int) -> float:
        """Send the first so many by a plain loop and return messages by second."""
        names = (self._host.certificate, self._host.key, self._authority_file, self._template / "agent.db")
        words = [kind, str(self.broker.port), self._queue(), str(messages), *map(str, names)]
        cost = child.run([sys.executable, "-m", "bench.loops", *words], self._environment)
        return messages / float(cost.output)

    def _renew(self) -> None:
        """Let everything wait again, for a queue that is new: nothing of a run before stands in the way."""
        shutil.rmtree(self._state, ignore_errors=True)
        shutil.copytree(self._template, self._state)
        etc = self._directory / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "agent.yaml").write_text(
            f"site: EXAMPLE-SITE\n"
            f"directories: {{state: {self._state}, spool: {self._directory}/spool, runtime: {self._directory}/run}}\n"
            f"accounting:\n"
            f"  first_run: backfill\n"
            f"  destinations:\n"
            f"    central:\n"
            f"      type: stomp\n"
            f'      brokers: ["stomp+ssl://localhost:{self.broker.port}"]\n'
            f"      queue: {self._queue()}\n"
            f"      certificate: {self._host.certificate}\n"
            f"      key: {self._host.key}\n"
            f"      ca_path: {self._anchors}\n"
        )

    def _queue(self) -> str:
        self._queues += 1
        return f"/queue/bench.{self._queues}"


def post_of(session: Session) -> Post:
    """Return the post office that the figures about sending share; the session closes it."""
    if "post" not in session.kept:
        messages = session.size(1000, 100)
        session.kept["post"] = session.enter(Post(session.room("post"), messages))
        time.sleep(1)
    post = session.kept["post"]
    assert isinstance(post, Post)
    return post
