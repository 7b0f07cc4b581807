"""A broker in trouble: every refusal has its words, nothing is lost, and the next plain run is exact."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.clock import utc
from tests.federation.authority import Authority
from tests.federation.box import Box
from tests.federation.controller import free_port
from tests.integration.faults import assert_truth, begin, change, failed, pass_time, recovers

LARGEST = 20_000
"""Bytes that the broker of these tests takes in one frame."""

SETTINGS = "first_run: backfill\nrecords_per_message: 20"
IMPATIENT = "connect_timeout: 1s\ngive_up_after: 2s"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    running = Box(tmp_path_factory.mktemp("broker"), settings=SETTINGS)
    assert running.broker is not None
    running.broker.max_frame_size = LARGEST
    with running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


@pytest.fixture()
def waiting(box: Box) -> Iterator[Box]:
    """The box with records that wait to be sent; afterwards the fault is lifted, and a plain run has to do."""
    pass_time(box)
    box.agent("accounting", "extract")
    yield box
    box.configure(settings=SETTINGS, stomp="")
    recovers(box)


def url(port: int, scheme: str = "stomp+ssl") -> str:
    return f'"{scheme}://localhost:{port}"'


def test_nobody_behind_the_port_and_nobody_who_speaks(waiting: Box) -> None:
    waiting.configure(stomp=IMPATIENT)
    closed = free_port()
    change(waiting, brokers=f"[{url(closed)}]")
    failed(
        waiting.agent("accounting", "send", check=False),
        69,
        f"localhost:{closed} cannot be reached: Connection refused",
        "firewall",
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        change(waiting, brokers=f"[{url(port, 'stomp')}]")
        failed(waiting.agent("accounting", "send", check=False), 69, f"localhost:{port}", "says nothing")
    (month,) = (row for row in shown(waiting) if row["waiting"])
    assert month["rejected"] == 0


def shown(box: Box) -> list:  # type: ignore[type-arg]
    return list(json.loads(box.agent("accounting", "show", "--json").stdout))


def test_a_broker_whose_ca_is_not_ours(waiting: Box, tmp_path: Path) -> None:
    other = Authority(tmp_path / "ca", "Another CA")
    change(waiting, ca_path=other.anchors)
    said = f"was issued by no CA of {other.anchors}"
    failed(waiting.agent("accounting", "send", check=False), 77, said, "openssl rehash")
    change(waiting, ca_path=tmp_path / "nothing")
    failed(
        waiting.agent("accounting", "send", check=False),
        78,
        f"the CA certificates {tmp_path}/nothing cannot be read",
        "trust anchors",
    )


def test_a_dead_broker_before_one_that_lives(waiting: Box) -> None:
    assert waiting.broker is not None
    change(waiting, brokers=f"[{url(free_port())}, {url(waiting.broker.port)}]")
    pass_time(waiting)
    waiting.agent("accounting", "run")
    assert_truth(waiting)


def test_a_message_that_the_broker_never_takes_arrives_in_pieces(waiting: Box) -> None:
    for number in range(40):
        waiting.create_server(name=f"many-{number}")
    pass_time(waiting, 60)
    waiting.configure(settings="first_run: backfill\nrecords_per_message: 39", stomp="give_up_after: 60s")
    done = waiting.agent("accounting", "run", "--json")
    central = json.loads(done.stdout)["destinations"]["central"]
    assert (central["split"], central["refused"]) == (1, [])
    (month,) = (row for row in shown(waiting) if row["month"] == utc(waiting.cloud.now())[:7])
    assert (month["waiting"], month["rejected"]) == (0, 0) and month["acknowledged"] >= 45


def test_a_record_that_the_broker_never_takes_is_named_and_set_aside(box: Box) -> None:
    """A broker behind which nothing fits: the last one of this file, since it leaves a machine-month unsaid."""
    assert box.broker is not None
    box.broker.max_frame_size = 3000
    box.broker.restart()
    pass_time(box)
    box.configure(settings="first_run: backfill\nrecords_per_message: 1", stomp="give_up_after: 60s")
    done = box.agent("accounting", "run", "--json", check=False)
    refused = json.loads(done.stdout)["destinations"]["central"]["refused"]
    assert "the broker cuts the connection whenever this message of" in refused[0]
    failed(done, 77, "refused 5 messages in a row", "waits for the next run")
    rejected = json.loads(box.agent("accounting", "show", "--rejected", "--json").stdout)
    assert [message["records"] for message in rejected["messages"]] == [1] * len(refused)
    assert sorted(record["reason"] for record in rejected["records"]) == sorted(
        f"message {message['id']} was refused: {message['reason']}" for message in rejected["messages"]
    )
