"""Kill the agent, its daemon, the broker and two clouds at random moments while months pass; then compare.

``python -m tests.torture.kills --kills 500 --seed 7 --report bench/torture.json``. The seed decides what happens to the
machines, what is killed and after which delay; at which instruction a delay ends is the machine's own doing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

import psutil

from fedcloud_agent.clock import DAY, HOUR, month_name, month_of
from tests.federation.box import Box
from tests.federation.preloaded import Done, Preloaded
from tests.torture import arrival, checks
from tests.torture.lasting import LastingCloud, LastingOned
from tests.torture.lives import Lives, pause
from tests.torture.oned import OnedLives

START = 1768910400  # 2026-01-20 12:00
_WELL = (0,)
_TROUBLED = (0, 69, 75)


@dataclass
class Told:
    """What a run of kills was and gave."""

    seed: int
    kills: Dict[str, int] = field(default_factory=dict)
    unharmed: int = 0
    """Commands that had ended by themselves before the blow came."""
    machines: Dict[str, int] = field(default_factory=dict)
    """How many lived in each cloud."""
    rows: int = 0
    months: str = ""
    messages: int = 0
    repeated: int = 0
    """Messages that came to the repository more than once, each time with the same content."""
    seconds: float = 0.0


class Torture:
    """One federation in which everything is killed."""

    def __init__(self, box: Box, agent: Preloaded, seed: int, say: Callable[[str], None]) -> None:
        self.box, self.agent, self.say = box, agent, say
        self.random = random.Random(seed)
        self.lives = (Lives(box.cloud, self.random), OnedLives(box.oned, self.random))
        self.now = self.summarised = START
        self.kills: Counter[str] = Counter()
        self.unharmed = 0
        self.typical = 1.0
        self.outage = False

    # ---------------------------------------------------------------- what happens

    def go(self, kills: int) -> None:
        """Kill so many times."""
        self.run("accounting", "run", codes=_WELL)
        blows = [
            *[self.kill_command] * 12,
            *[self.kill_daemon] * 3,
            *[self.kill_broker] * 2,
            *[self.kill_openstack] * 2,
            *[self.kill_opennebula] * 2,
            self.broker_outage,
        ]
        while sum(self.kills.values()) < kills:
            self.pass_time(pause(self.random))
            self.random.choice(blows)()
            if self.random.random() < 0.4:
                self.run("accounting", "run", codes=_TROUBLED)

    def pass_time(self, seconds: int) -> None:
        """Let time go by in the cloud and for the agent; the repository sums up every day, as the real one does."""
        if not self.outage:
            arrival.from_broker(self.box)
        for lives in self.lives:
            lives.go_on(self.now, self.now + seconds)
        self.now += seconds
        self.box.set_clock(self.now)
        for lives in self.lives:
            lives.purge()
        with self.box.repository() as repository:
            while self.summarised + DAY <= self.now:
                self.summarised += DAY
                repository.summarise(self.summarised)

    def run(self, *words: str, codes: Tuple[int, ...]) -> Done:
        """Run a command in peace."""
        done = self.agent.run(*words)
        self._judge(done, codes)
        self.typical = 0.7 * self.typical + 0.3 * done.seconds
        return done

    def _judge(self, done: Done, codes: Tuple[int, ...]) -> None:
        assert done.code in codes and "Traceback" not in done.said, f"exit {done.code}: {done.said}"
        if done.code == 0:
            for lives in self.lives:
                lives.seen()

    # ---------------------------------------------------------------- what is killed

    def kill_command(self) -> None:
        """Kill a command of the agent."""
        words = self.random.choice([("run",), ("run",), ("extract",), ("send",)])
        delay = self.random.uniform(0, 1.2)
        pid = self.agent.start("accounting", *words)
        time.sleep(delay * self.typical)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        done = self.agent.end()
        if done.killed:
            self.kills[f"accounting {words[0]}"] += 1
        else:
            self.unharmed += 1
            assert done.code in _TROUBLED and "Traceback" not in done.said, f"exit {done.code}: {done.said}"

    def kill_daemon(self) -> None:
        """Kill the daemon, the runs under it, or both; then a new one, which ends in good order."""
        kind = self.random.choice(["daemon", "daemon's runs", "daemon and its runs"])
        delay = self.random.uniform(0.3, 4)
        daemon = self.box.daemon().start()
        assert daemon.process is not None
        parent = psutil.Process(daemon.process.pid)
        time.sleep(delay)
        children = parent.children(recursive=True)
        for one in [*(children if "runs" in kind else ()), *([parent] if kind != "daemon's runs" else ())]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.kills[kind] += 1
        if kind != "daemon's runs":
            daemon.kill()
            daemon = self.box.daemon().start()
        time.sleep(self.random.uniform(0, 3))
        daemon.stop()
        gone, alive = psutil.wait_procs(children, timeout=30)
        assert not alive, "the daemon left runs behind"
        assert "Traceback" not in daemon.log.read_text(errors="replace"), "the daemon met a bug"

    def kill_broker(self) -> None:
        """Kill the broker while messages go to it, and start it again."""
        self._kill_under_a_run("broker", self._broker_dies, self._broker_comes)

    def kill_openstack(self) -> None:
        """Kill OpenStack while it is listed, and start it again."""
        self._kill_under_a_run("OpenStack", self.box.cloud.kill, self.box.cloud.start)

    def kill_opennebula(self) -> None:
        """Kill oned while it is listed, and start it again."""
        self._kill_under_a_run("OpenNebula", self.box.oned.kill, self.box.oned.start)

    def broker_outage(self) -> None:
        """Kill the broker for some days."""
        arrival.from_broker(self.box)
        self._broker_dies()
        self.kills["broker, for days"] += 1
        self.outage = True
        for _ in range(self.random.randint(1, 2)):
            self.pass_time(pause(self.random))
            self.run("accounting", "extract", codes=_WELL)
            self.run("accounting", "send", codes=(69,))
        self.outage = False
        self._broker_comes()
        self.run("accounting", "run", codes=_WELL)

    def _kill_under_a_run(self, kind: str, die: Callable[[], object], come: Callable[[], object]) -> None:
        delay = self.random.uniform(0, 1.2)
        self.agent.start("accounting", "run")
        time.sleep(delay * self.typical)
        die()
        self.kills[kind] += 1
        if self.random.random() < 0.5:
            come()
            done = self.agent.end()
        else:
            done = self.agent.end()
            come()
        assert done.code in (*_TROUBLED, 65) and "Traceback" not in done.said, f"exit {done.code}: {done.said}"

    def _broker_dies(self) -> None:
        assert self.box.broker is not None
        self.box.broker.kill()

    def _broker_comes(self) -> None:
        assert self.box.broker is not None
        self.box.broker.start()

    # ---------------------------------------------------------------- the end

    def settle(self, told: Told) -> None:
        """Two runs in peace, hours apart, then every check."""
        for _ in range(2):
            self.pass_time(5 * HOUR)
            self.run("accounting", "run", codes=_WELL)
        arrival.from_broker(self.box)
        lives = self.box.lives()
        with self.box.repository() as repository:
            told.rows = checks.compare(self.box.state, repository, lives, self.now)
            repository.summarise(self.now)
            checks.compare_sums(repository, lives, self.now)
            seen = Counter(one.empa_id for one in repository.messages() if one.empa_id != "ping")
        assert not checks.strays(self.box.state), checks.strays(self.box.state)
        told.machines = dict(sorted(Counter("OpenNebula" if "/" in uuid else "OpenStack" for uuid in lives).items()))
        told.kills, told.unharmed = dict(sorted(self.kills.items())), self.unharmed
        told.months = f"{month_name(month_of(START))} to {month_name(month_of(self.now))}"
        told.messages, told.repeated = len(seen), sum(count > 1 for count in seen.values())


def torture(directory: Path, kills: int, seed: int, say: Callable[[str], None] = print) -> Told:
    """Play it all in a new directory. Raises AssertionError when anything came to be wrong."""
    told, began = Told(seed), time.monotonic()
    settings = "first_run: backfill\nrecords_per_message: 5"
    box = Box(directory, settings=settings, stomp="give_up_after: 2s", opennebula="6.10")
    box.cloud, box.oned = LastingCloud(directory / "openstack"), LastingOned(directory / "opennebula")
    with box:
        box.set_clock(START)
        with Preloaded(directory, box.agent_command(), box.agent_environment()) as agent:
            one = Torture(box, agent, seed, say)
            try:
                one.go(kills)
                one.settle(told)
            except BaseException:
                say(f"seed {seed}, after {sum(one.kills.values())} kills: {dict(one.kills)}")
                raise
    told.seconds = round(time.monotonic() - began, 1)
    return told


def main(arguments: Optional[List[str]] = None) -> int:
    """Play it and write down what it gave."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--report", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    result, told = "everything is as it should be", None
    with tempfile.TemporaryDirectory(prefix="torture-") as directory:
        try:
            told = torture(Path(directory), options.kills, seed)
        except AssertionError as error:
            result = f"wrong: {error}"
    report = {"asked": options.kills, "result": result, **(vars(told) if told else {"seed": seed})}
    report["date"] = time.strftime("%Y-%m-%d", time.gmtime())
    text = json.dumps(report, indent=1) + "\n"
    print(text)
    if options.report:
        options.report.parent.mkdir(exist_ok=True)
        options.report.write_text(text)
    return 0 if told else 1


if __name__ == "__main__":
    sys.exit(main())
