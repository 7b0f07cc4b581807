"""Killed at every point of its conversation with a real broker, the agent loses nothing and is never two-faced."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import Box
from tests.torture import arrival, checks
from tests.torture.everywhere import everywhere
from tests.torture.preloaded import Preloaded

START = 1768910400  # 2026-01-20 12:00


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, settings="first_run: backfill\nrecords_per_message: 2", stomp="give_up_after: 20s") as box:
        box.set_clock(START)
        for number in range(3):
            box.create_server(created=START - 30 * DAY - number * HOUR, name=f"vm-{number}")
        yield box


def test_sending_to_a_broker(box: Box) -> None:
    """Time goes on from kill to kill, so that each finds new records, in one ledger and one repository."""
    with Preloaded(box.directory, box.agent_command(), box.agent_environment()) as agent:

        def well(*words: str) -> None:
            done = agent.run(*words)
            assert done.code == 0, done.said

        def before() -> None:
            box.set_clock(box.cloud.now() + 8 * HOUR)
            well("accounting", "extract")

        def after() -> None:
            well("accounting", "send")
            arrival.from_broker(box)
            lives = box.cloud.truth()
            with box.repository() as repository:
                assert checks.compare(box.state, repository, lives, box.cloud.now()) >= len(lives)
                repository.summarise(box.cloud.now())
                checks.compare_sums(repository, lives, box.cloud.now())
            assert not checks.strays(box.state)

        calls = ["write", "sendto", "fdatasync", "shutdown"]
        assert everywhere(agent, calls, ["accounting", "send"], before, after) > 15
