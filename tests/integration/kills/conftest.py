"""A small site whose agent is killed again and again: what stands before, and what must hold after."""

from __future__ import annotations

import shutil
from typing import Iterator

import pytest

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import Box
from tests.federation.central.repository import Repository
from tests.federation.preloaded import Preloaded
from tests.torture import arrival, checks

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
            if self.kept.exists():
                shutil.copytree(self.kept / path.name, path)
        self.outgoing.mkdir(exist_ok=True)
        self.repository = Repository()
        self.arrive()

    def keep(self) -> None:
        """Keep the state for :meth:`forget`, and what lies in the directory as what is at the centre."""
        shutil.rmtree(self.kept, ignore_errors=True)
        for path in (self.box.state, self.outgoing):
            shutil.copytree(path, self.kept / path.name)

    def well(self, *words: str) -> None:
        done = self.agent.run(*words)
        assert done.code == 0, done.said

    def arrive(self) -> None:
        arrival.from_directory(self.outgoing, self.repository)

    def settle(self) -> None:
        """Run in peace; then the centre must equal the ledger and the truth."""
        self.well("accounting", "run")
        self.arrive()
        self.check()

    def check(self) -> None:
        lives = self.box.lives()
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
    assert box.clock.instant is not None
    site.now = box.clock.instant
    site.forget()
    yield site
    site.repository.close()


def _first(box: Box) -> str:
    return sorted(box.cloud.truth())[0]
