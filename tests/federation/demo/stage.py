"""The stage: the clock is set, the daemon does what is due by then, and everybody's words are passed on."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from typing import Callable, Dict, List, Optional

from fedcloud_agent import outcome
from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.daemon import state as states
from tests.federation.box import AgentDaemon, Box
from tests.federation.demo.books import CLOUDS, Arrived, arrived, await_loading, repositories, unsent
from tests.federation.demo.telling import Teller

_SEND_LATER = 11 * 60
"""How far behind an extraction the daemon's own sending is let come due: it does so every ten minutes."""

_UNTOLD = re.compile(
    r"the clock jumped|is ready|: 0 messages acknowledged, 0|sending is left|busy with another|still runs since"
)
"""What the daemon says and nobody needs to hear in a story; its log has it all."""


class Stage:
    """A box with its daemon, the time of the story, and a teller."""

    def __init__(self, box: Box, teller: Teller) -> None:
        self.box, self.teller = box, teller
        self.now = 0
        self._daemon: Optional[AgentDaemon] = None
        self._read = 0
        self._seen: Dict[str, Arrived] = {}

    def openstack(self, text: str) -> None:
        """Tell what happens in the cloud 'main'."""
        self.teller.say(self.now, "OpenStack", text)

    def opennebula(self, text: str) -> None:
        """Tell what happens in the cloud 'one'."""
        self.teller.say(self.now, "OpenNebula", text)

    def ask(self, *words: str, check: bool = True) -> None:
        """Type a command of the agent and tell what it answers; ``check``: it has to end well."""
        done = self.box.agent(*words, check=check)
        self.teller.quote(" ".join(("fedcloud-agent", *words)), done.stdout, done.returncode)

    def set(self, instant: int) -> None:
        """Let it be ``instant`` in the clouds. A daemon that runs sees it with its next work, and is idle till then."""
        self._sum_up_until(instant)
        self.now = instant
        if self._daemon is None:
            self.box.set_clock(instant)
        else:
            self.box.cloud.set_clock(instant)
            self.box.oned.set_clock(instant)

    def _wake(self, instant: int) -> None:
        """Let it be ``instant`` for everybody, and give the daemon a shake.

        It notices a step of the clock within twenty seconds by itself. Any signal wakes it before that, and that of a
        child's end means nothing else to it.
        """
        self._sum_up_until(instant)
        self.now = instant
        self.box.set_clock(instant)
        assert self._daemon is not None and self._daemon.process is not None
        self._daemon.process.send_signal(signal.SIGCHLD)

    def start_daemon(self) -> None:
        """Start the daemon; its first runs are due at once."""
        self._daemon = self.box.daemon().start()
        self.teller.say(self.now, "agent", "fedcloud-agent daemon is ready: it extracts every hour, sends every 10 min")

    def cut_power(self) -> None:
        """End the daemon as a power cut does."""
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon = None

    def stop_daemon(self) -> None:
        """End the daemon in good order."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def work(self, instant: Optional[int] = None) -> None:
        """Wait until the daemon has extracted and sent, at ``instant``, and the repositories have loaded all of it.

        What the run itself could not send is left to the daemon's own sending, for which the clock moves on.
        """
        if instant is not None:
            self._wake(instant)
        begin = self.now
        for cloud in CLOUDS:
            self._await_run("accounting", cloud, begin)
        if unsent(self.box):
            self._wake(begin + _SEND_LATER)
            self._await_run("accounting-send", None, self.now)
        await_loading(self.box)
        self._pass_on(begin)

    def _sum_up_until(self, instant: int) -> None:
        """Let the repositories run their summariser at six in the morning of each day that passes."""
        days = range(self.now // DAY, instant // DAY + 1) if self.now else ()
        due = [day * DAY + 6 * HOUR for day in days if self.now < day * DAY + 6 * HOUR <= instant]
        for one in repositories(self.box).values():
            with one.repository() as repository:
                for morning in due:
                    repository.summarise(morning)

    def _await_run(self, loop: str, cloud: Optional[str], since: int) -> None:
        def ended() -> bool:
            done = outcome.read(outcome.path_of(self.box.state, loop, cloud))
            daemon = states.read(self.box.state)
            return done is not None and done.started >= since and daemon is not None and not daemon.running

        self._await(ended, f"the daemon did not run {outcome.title(loop, cloud)}")

    def _await(self, what: Callable[[], bool], otherwise: str, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert self._daemon is not None and self._daemon.process is not None
            if time.monotonic() > deadline or self._daemon.process.poll() is not None:
                raise RuntimeError(f"{otherwise}; it said:\n" + "\n".join(self._lines()[-20:]))
            time.sleep(0.05)

    def _lines(self) -> List[str]:
        return (self.box.directory / "daemon" / "daemon.log").read_text(errors="replace").splitlines()

    def _pass_on(self, instant: int) -> None:
        lines = self._lines()
        said = [re.sub(r"^<\d>", "", line) for line in lines[self._read :] if not _UNTOLD.search(line)]
        self._read = len(lines)
        for words, times in Counter(said).items():
            who = "trouble" if words.startswith(("warning: ", "error: ")) else "agent"
            self.teller.say(instant, who, words + (f" ({times} times)" if times > 1 else ""))
        for name, now in arrived(self.box).items():
            before = self._seen.get(name, Arrived())
            if now.messages > before.messages:
                counts = _count(now.messages - before.messages, "message")
                counts += f" with {_count(now.records - before.records, 'record')}"
                self.teller.say(instant, name, f"{counts}: signature verified, loaded")
            if now.refused > before.refused:
                self.teller.say(instant, "trouble", f"{name} refused {now.refused - before.refused} of them")
            self._seen[name] = now


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
