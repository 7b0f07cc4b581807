"""Brokers that are lost with what they had acknowledged: what nothing else would ever send again goes out again."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Iterator, Optional

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box
from tests.federation.controller import free_port
from tests.federation.odd_broker import Frame, OddBroker, orderly
from tests.integration.faults import START, assert_truth, begin, change, pass_time, recovers, shown

SETTINGS = "first_run: backfill\nrecords_per_message: 2"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    stomp = "connect_timeout: 2s\ngive_up_after: 60s\nwindow: 1"
    with Box(tmp_path_factory.mktemp("failover"), settings=SETTINGS, stomp=stomp) as running:
        begin(running)
        yield running


@pytest.fixture()
def box(whole: Box) -> Box:
    """The box, with servers of closed months that nobody reported yet."""
    whole.configure()
    for number in range(6):
        whole.create_server(created=START + number)
    pass_time(whole, DAY)  # a full listing is due, which shows them
    return whole


def own(box: Box) -> str:
    assert box.broker is not None
    return box.broker.url


def sent_again(done: subprocess.CompletedProcess[str]) -> int:
    return int(json.loads(done.stdout)["destinations"]["central"]["sent_again"])


def test_closed_months_that_a_lost_broker_acknowledged_go_to_the_next_one(box: Box) -> None:
    with box.repository() as repository:
        before = shown(repository)
    with OddBroker() as lost:
        change(box, brokers=json.dumps([lost.url, own(box)]))
        box.agent("accounting", "run")
        assert lost.sent()
    with box.repository() as repository:
        assert shown(repository) == before
    pass_time(box)
    assert sent_again(box.agent("accounting", "run", "--json")) >= 12
    assert_truth(box)
    pass_time(box)
    assert sent_again(box.agent("accounting", "run", "--json")) == 0
    assert_truth(box)


def test_a_broker_lost_in_mid_batch(box: Box) -> None:
    def dies(frame: Frame) -> Optional[bytes]:
        if frame.command == "SEND" and len(lost.sent()) > 4:
            lost.listen_no_more()
            return None
        return orderly(frame)

    with OddBroker(dies) as lost:
        change(box, brokers=json.dumps([lost.url, own(box)]))
        done = box.agent("accounting", "run", "--json")
        assert len(lost.sent()) == 5
    assert sent_again(done) > 0
    # the month under way is said anew hours later; of the closed ones nothing would ever be said again
    recovers(box)


def test_the_first_broker_comes_back_and_the_second_is_lost(box: Box) -> None:
    with OddBroker() as lost:
        second = lost.url
        change(box, brokers=json.dumps([f"stomp://localhost:{free_port()}", second]))
        box.agent("accounting", "run")
        assert lost.sent()
    box.configure()
    change(box, brokers=json.dumps([own(box), second]))
    recovers(box)


def test_a_broker_restarted_in_mid_batch(box: Box) -> None:
    box.cloud.create_servers(
        [{"project": "vo-example", "user": "/DC=org/DC=example/CN=Jane Doe", "flavor": "small", "count": 300}]
    )
    pass_time(box)
    assert box.broker is not None
    with box.repository() as repository:
        seen = len(repository.messages())
    run = subprocess.Popen(
        [*box.agent_command(), "accounting", "run"],
        env=box.agent_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        try:
            await_messages(box, seen + 5)
            box.broker.kill()
            assert run.poll() is None, "it was all over too early to show anything"
            box.broker.start()
            _, said = run.communicate(timeout=100)
        finally:
            run.kill()
    assert run.returncode == 0, said
    assert_truth(box)


def await_messages(box: Box, count: int) -> None:
    deadline = time.monotonic() + 60
    with box.repository() as repository:
        while len(repository.messages()) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
