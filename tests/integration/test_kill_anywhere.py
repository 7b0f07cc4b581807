"""Killed at every point where it commits or sends, the agent loses nothing and sends nothing twice in two ways.

A point is a system call: the command dies as it enters the N-th one of its kind, for every N until a run comes through.
Then the same command runs in peace, and what is at the centre must equal the ledger and the truth.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import time
from typing import Iterator, List

import psutil
import pytest

from fedcloud_agent import outcome
from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import AgentDaemon, Box
from tests.federation.central.repository import Repository
from tests.torture import arrival, checks
from tests.torture.everywhere import everywhere
from tests.torture.preloaded import Preloaded

START = 1768910400  # 2026-01-20 12:00
COMMITS = ("fdatasync", "fsync", "rename")
TINY = "first_run: backfill\nrecords_per_message: 4"


class Site:
    """Three servers that have lived for two months, and an agent whose messages end in a directory."""

    def __init__(self, box: Box, agent: Preloaded, repository: Repository) -> None:
        self.box, self.agent, self.repository = box, agent, repository
        self.outgoing = box.directory / "outgoing"
        self.now = START
        self.kept = box.directory / "kept"

    def move(self, seconds: int) -> None:
        self.now += seconds
        self.box.set_clock(self.now)

    def forget(self) -> None:
        """Begin anew: the state and the centre as they were at :meth:`keep`, or empty."""
        for path in (self.box.state, self.outgoing):
            shutil.rmtree(path, ignore_errors=True)
        self.outgoing.mkdir()
        self.repository = Repository()
        if self.kept.exists():
            shutil.copytree(self.kept, self.box.state)

    def keep(self) -> None:
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.box.state, self.kept)

    def well(self, *words: str) -> None:
        done = self.agent.run(*words)
        assert done.code == 0, done.said

    def arrive(self) -> None:
        arrival.from_directory(self.outgoing, self.repository)

    def check(self) -> None:
        lives = self.box.cloud.truth()
        assert checks.compare(self.box.state, self.repository, lives, self.now) >= len(lives)
        self.repository.summarise(self.now)
        checks.compare_sums(self.repository, lives, self.now)
        assert not checks.strays(self.box.state) and not list(self.outgoing.glob("*/*"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("box"), broker=False, settings=TINY) as box:
        box.set_clock(START)
        for number in range(3):
            box.create_server(created=START - 30 * DAY - number * HOUR, name=f"vm-{number}")
        box.cloud.act(_first(box), "delete", at=START - DAY)
        yield box


@pytest.fixture(scope="module")
def agent(box: Box) -> Iterator[Preloaded]:
    with Preloaded(box.directory, box.agent_command(), box.agent_environment()) as agent:
        yield agent


@pytest.fixture
def site(box: Box, agent: Preloaded) -> Iterator[Site]:
    site = Site(box, agent, Repository())
    site.now = box.cloud.now()
    site.forget()
    yield site
    site.repository.close()


def _first(box: Box) -> str:
    return sorted(box.cloud.truth())[0]


def test_the_first_extraction(site: Site) -> None:
    def after() -> None:
        site.well("accounting", "run")
        site.arrive()
        site.check()

    assert everywhere(site.agent, [*COMMITS], ["accounting", "extract"], site.forget, after) > 20


def test_sending_into_a_directory(site: Site) -> None:
    site.well("accounting", "extract")
    site.keep()

    def after() -> None:
        site.arrive()  # the other program may look at any moment
        site.well("accounting", "send")
        site.arrive()
        site.check()

    calls = [*COMMITS, "link", "unlink"]
    assert everywhere(site.agent, calls, ["accounting", "send"], site.forget, after) > 15


def test_a_later_run_with_messages_under_way(site: Site) -> None:
    site.well("accounting", "extract")
    assert site.agent.run_until("link", 2, "accounting", "send").killed
    site.keep()
    taken = site.box.directory / "taken"
    shutil.copytree(site.outgoing, taken)
    site.box.cloud.act(sorted(site.box.cloud.truth())[1], "delete", at=site.now + DAY)
    site.move(13 * DAY)  # over the end of the month

    def before() -> None:
        site.forget()
        shutil.copytree(taken, site.outgoing, dirs_exist_ok=True)
        site.arrive()

    def after() -> None:
        site.arrive()
        site.well("accounting", "run")
        site.arrive()
        site.check()

    calls = ["fdatasync", "fsync", "link", "sendto"]
    assert everywhere(site.agent, calls, ["accounting", "run"], before, after) > 20


class TracedDaemon(AgentDaemon):
    """The daemon, killed with its runs or without them at a system call."""

    def __init__(self, box: Box, number: int) -> None:
        super().__init__(box)
        self.number = number

    def command(self) -> List[str]:
        inject = ["-e", "trace=rename", "-e", f"inject=rename:signal=KILL:when={self.number}"]
        return ["strace", "-f", "-qq", "-o", "/dev/null", *inject, *super().command()]

    def is_ready(self) -> bool:
        return True


def _rest(site: Site) -> None:
    """Wait until every loop has ended well."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found, faults = outcome.read_all(site.box.state)
        assert not faults
        if len(found) == 2 and all(one.good and one.finished >= site.now for one in found):
            return
        time.sleep(0.05)
    raise AssertionError("the daemon did not get its runs done")


def _end_all(parent: int) -> None:
    with_children = [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]
    for one in with_children:
        one.kill()
    psutil.wait_procs(with_children)


def test_the_daemon_and_its_runs(site: Site) -> None:
    """Each process of the daemon's tree dies at its own N-th rename, by which all it writes for others comes to be."""
    for number in itertools.count(1):
        site.forget()
        traced = TracedDaemon(site.box, number).start()
        assert traced.process is not None
        killed = True
        try:
            tracer = psutil.Process(traced.process.pid)
            deadline = time.monotonic() + 25
            while tracer.is_running() and tracer.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
                found, _ = outcome.read_all(site.box.state)
                daemon = [child for child in tracer.children() if "daemon" in child.cmdline()]
                if len(found) == 2 and daemon and len(tracer.children(recursive=True)) == 1:
                    # both runs have ended, and the daemon has written down how
                    killed = any(not one.good for one in found)
                    break
                time.sleep(0.1)
            if daemon_alive(tracer):
                _end_all(tracer.pid)
        finally:
            traced.stop()
        site.arrive()
        with site.box.daemon() as daemon:
            assert daemon.process is not None
            site.move(5 * HOUR)
            os.kill(daemon.process.pid, signal.SIGHUP)  # it sleeps through a step of the clock for some seconds
            _rest(site)
        site.well("accounting", "run")
        site.arrive()
        site.check()
        if not killed:
            break
    print(f"daemon: killed at {number - 1} points")
    assert number > 3


def daemon_alive(tracer: psutil.Process) -> bool:
    return tracer.is_running() and tracer.status() != psutil.STATUS_ZOMBIE
