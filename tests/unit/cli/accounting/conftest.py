"""A site with a ledger that a small world filled, and the commands on it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Tuple

import pytest

from fedcloud_agent import clock
from fedcloud_agent.cli.main import main
from fedcloud_agent.store.opening import open_store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Agent, Life, World

Run = Callable[..., Tuple[int, str, str]]

CONFIGURATION = """
site: EXAMPLE-SITE
directories: {{state: {state}}}
accounting:
  first_run: {first_run}
  destinations:
    central: {{type: stomp, brokers: ["stomp+ssl://broker.example.org:6162"], queue: /queue/cloud}}
"""


class Site(NamedTuple):
    """The world, the agent that reports of it, and the command line (exit code, standard output, standard error)."""

    world: World
    agent: Agent
    run: Run
    etc: Path
    state: Path

    def pass_to(self, when: str, *, sending: bool = True) -> None:
        """Let time pass up to a moment, and one run happen then."""
        self.world.now = at(when)
        assert not self.agent.extract().failures
        if sending:
            self.agent.send()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    etc, state = tmp_path / "etc", tmp_path / "state"
    etc.mkdir()
    state.mkdir()
    (etc / "agent.yaml").write_text(CONFIGURATION.format(state=state, first_run="backfill"))
    lives: List[Life] = []
    world = World(lives)
    store = open_store(state)
    monkeypatch.setattr(clock, "now", lambda: world.now)

    def run(*words: str) -> Tuple[int, str, str]:
        code = main(["--config", str(etc), "accounting", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    yield Site(world, Agent(store, world, Repository()), run, etc, state)
    store.close()
