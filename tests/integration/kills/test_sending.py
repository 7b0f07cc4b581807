"""Killed at every point of its conversation with a broker or a messaging service, the agent loses nothing and is never
two-faced."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import Box
from tests.federation.preloaded import Preloaded
from tests.torture import arrival, checks
from tests.torture.everywhere import everywhere

START = 1768910400  # 2026-01-20 12:00


SMALL = "first_run: backfill\nrecords_per_message: 2"


def people(box: Box) -> Box:
    """Let three servers be there that have lived for a month."""
    box.set_clock(START)
    for number in range(3):
        box.create_server(created=START - 30 * DAY - number * HOUR, name=f"vm-{number}")
    return box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, settings=SMALL, stomp="give_up_after: 20s") as box:
        yield people(box)


@pytest.fixture
def ams_box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, broker=False, ams=True, settings=SMALL, ams_settings="give_up_after: 20s") as box:
        yield people(box)


def kill_all_along(box: Box, calls: List[str], arrive: Callable[[Box], None]) -> int:
    """Kill the sending at each point, and return how often it was killed.

    Time goes on from kill to kill, so that each finds new records, in one ledger and one repository.
    """
    with Preloaded(box.directory, box.agent_command(), box.agent_environment()) as agent:

        def well(*words: str) -> None:
            done = agent.run(*words)
            assert done.code == 0, done.said

        def before() -> None:
            box.set_clock(box.cloud.now() + 8 * HOUR)
            well("accounting", "extract")

        def after() -> None:
            well("accounting", "send")
            arrive(box)
            lives = box.cloud.truth()
            with box.repository() as repository:
                assert checks.compare(box.state, repository, lives, box.cloud.now()) >= len(lives)
                repository.summarise(box.cloud.now())
                checks.compare_sums(repository, lives, box.cloud.now())
            assert not checks.strays(box.state)

        return everywhere(agent, calls, ["accounting", "send"], before, after)


def test_sending_to_a_broker(box: Box) -> None:
    assert kill_all_along(box, ["write", "sendto", "fdatasync", "shutdown"], arrival.from_broker) > 15


def test_sending_to_the_messaging_service(ams_box: Box) -> None:
    assert kill_all_along(ams_box, ["write", "sendto", "fdatasync"], arrival.from_ams) > 15


def test_sending_to_the_messaging_service_what_is_too_large(ams_box: Box) -> None:
    """Every message is split: killed before or after, its records leave under one pair of identities or another."""
    assert ams_box.ams is not None
    ams_box.agent("accounting", "run")
    ams_box.set_clock(START + 8 * HOUR)
    ams_box.agent("accounting", "run")
    two, one = (seen.size for seen in ams_box.ams.seen()[-2:])
    ams_box.ams.fault({"on": "publish", "act": "status", "status": 413, "larger": (two + one) // 2})
    assert kill_all_along(ams_box, ["sendto", "fdatasync"], arrival.from_ams) > 10
    assert any(seen.act == "status" for seen in ams_box.ams.seen())
