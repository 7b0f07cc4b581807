"""One site, two destinations: a broker and the messaging service, each with a repository of its own behind it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box
from tests.federation.central.controller import CentralRepository
from tests.integration.faults import assert_truth, begin, failed, pass_time, shown, truth

IMPATIENT = {"stomp": "connect_timeout: 1s\ngive_up_after: 1s", "ams_settings": "give_up_after: 1s"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("two"), ams=True, **IMPATIENT) as running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


@pytest.fixture()
def box(whole: Box) -> Box:
    whole.configure(**IMPATIENT)
    return whole


def assert_both(box: Box) -> None:
    """Check that each of the two repositories shows the truth."""
    assert_truth(box)
    assert await_shown(second(box), box) == truth(box)


def second(box: Box) -> CentralRepository:
    assert box.aggregator is not None
    return box.aggregator


def await_shown(centre: CentralRepository, box: Box, seconds: float = 30) -> object:
    deadline = time.monotonic() + seconds
    with centre.repository() as repository:
        while shown(repository) != truth(box) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert repository.rejects() == [] and repository.two_faced() == []
        return shown(repository)


def test_both_show_the_truth(box: Box) -> None:
    pass_time(box)
    done = json.loads(box.agent("accounting", "run", "--json").stdout)["destinations"]
    assert sorted(done) == ["ams", "central"] and done["ams"]["records"] == done["central"]["records"] > 0
    assert_both(box)


@pytest.mark.parametrize("down", ["central", "ams"])
def test_one_is_down_for_days(box: Box, down: str) -> None:
    server = box.broker if down == "central" else box.ams
    assert server is not None
    before = box.create_server(name=f"before-{down}")
    pass_time(box, 60)
    box.agent("accounting", "run")
    server.stop()
    for number in range(5):
        pass_time(box, DAY)
        box.create_server(name=f"{down}-{number}")
        if number == 2:
            box.cloud.act(before, "delete")
        done = box.agent("accounting", "run", check=False)
        failed(done, 69, "cannot be reached")
        (told,) = [json.loads(done.stdout)] if done.stdout else [{}]
        assert told == {}
    if down == "ams":
        assert_truth(box)
    else:
        assert await_shown(second(box), box) == truth(box)
    server.start()
    pass_time(box)
    box.agent("accounting", "run")
    assert_both(box)


def test_one_is_held_back(box: Box) -> None:
    box.configure(ams_settings="send: false")
    with second(box).repository() as repository:
        before = shown(repository)
    for _ in range(2):
        pass_time(box)
        box.create_server()
        done = json.loads(box.agent("accounting", "run", "--json").stdout)["destinations"]
        assert list(done) == ["central"]
    assert_truth(box)
    with second(box).repository() as repository:
        assert shown(repository) == before
    box.configure(ams_settings="")
    box.agent("accounting", "send")
    assert_both(box)


def test_one_is_given_up_kept_taken_back_and_forgotten(box: Box, tmp_path: Path) -> None:
    assert box.ams is not None
    service, box.ams = box.ams, None
    pass_time(box)
    service.fault({"on": "publish", "act": "status", "status": 502})
    failed(box.agent("accounting", "run", check=False), 69, "502")
    service.fault()
    box.configure()
    brief = box.create_server(name="brief")
    pass_time(box)
    box.cloud.act(brief, "delete")
    kept = "kept for ams, which is not configured"
    assert kept in box.agent("accounting", "run").stderr
    assert kept in box.agent("status", check=False).stdout
    assert_truth(box)

    box.ams = service
    box.configure()
    failed(box.agent("accounting", "forget", "--destination", "ams", "--yes", check=False), 78, "is configured")
    pass_time(box)
    box.agent("accounting", "run")
    assert_both(box)

    box.ams = None
    box.configure()
    asked = box.agent("accounting", "forget", "--destination", "ams", check=False)
    assert asked.returncode == 130 and "Forget what waits" in asked.stderr
    failed(box.agent("accounting", "forget", "--destination", "other", "--yes", check=False), 78, "known: ams, central")
    gone = box.agent("accounting", "forget", "--destination", "ams", "--yes")
    assert gone.stdout.startswith("forgotten: 0 messages and ")
    pass_time(box)
    assert "not configured" not in box.agent("accounting", "run").stderr
    assert_truth(box)
    box.ams = service


def test_one_that_comes_later_is_told_by_the_choice_in_force(box: Box) -> None:
    """The service of the last test is new to the agent now; its repository still has what it had."""
    box.configure(settings="first_run: continue")
    pass_time(box)
    box.agent("accounting", "run")
    assert_both(box)
    rows = json.loads(box.agent("accounting", "show", "--json").stdout)
    months = {name: {row["month"] for row in rows if row["destination"] == name} for name in ("ams", "central")}
    gone = months["central"] - months["ams"]
    assert gone == {"2026-01", "2026-02"}, "months that the former tool closed are left to it"
