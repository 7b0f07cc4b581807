"""Brokers that answer strangely: nothing is taken for acknowledged, nor refused, that was not."""

from __future__ import annotations

import logging
from typing import List, Optional

import pytest

from fedcloud_agent.errors import RefusedError, UnreachableError
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.transport import Message, Outcome
from tests.federation.odd_broker import CONNECTED, Frame, OddBroker, error, orderly, receipt
from tests.integration.outbox.conftest import OpenTransport


def messages(count: int) -> List[Message]:
    return [Message(new_id(), f"VMUUID: vm-{number}\n".encode()) for number in range(count)]


def test_frames_are_as_the_receiver_expects(transport: OpenTransport) -> None:
    (message,) = messages(1)
    with OddBroker() as broker:
        list(transport(broker.url, queue="/queue/central").deliver([message]))
        connect, send = broker.frames[:2]
    assert (connect.command, connect.headers["accept-version"]) == ("STOMP", "1.1")
    assert "login" not in connect.headers
    expected = {
        "destination": "/queue/central",
        "receipt": message.id,
        "empa-id": message.id,
        "persistent": "true",
        "content-length": str(len(send.body)),
    }
    assert {key: send.headers[key] for key in expected} == expected


def test_a_receipt_for_something_else_acknowledges_nothing(transport: OpenTransport) -> None:
    def foreign(frame: Frame) -> Optional[bytes]:
        return receipt("5ba24c88/5ba24c8f0f129d") if frame.command == "SEND" else orderly(frame)

    with OddBroker(foreign) as broker, pytest.raises(UnreachableError, match="gave no receipt within 1 s"):
        list(transport(broker.url, receipt_timeout=1, give_up_after=1).deliver(messages(1)))


def test_after_silence_the_same_bytes_go_again_in_order(transport: OpenTransport) -> None:
    def deaf_at_first(frame: Frame) -> Optional[bytes]:
        return b"" if frame.command == "SEND" and frame.connection == 1 else orderly(frame)

    sent = messages(5)
    with OddBroker(deaf_at_first) as broker:
        outcomes = list(transport(broker.url, receipt_timeout=1).deliver(sent))
        first = [(f.headers["empa-id"], f.body) for f in broker.sent() if f.connection == 1]
        second = [(f.headers["empa-id"], f.body) for f in broker.sent() if f.connection == 2]
    assert [o.acknowledged for o in outcomes] == [True] * 5
    assert first == second
    assert [id for id, _ in first] == [message.id for message in sent]


def test_what_was_acknowledged_before_a_cut_is_not_sent_again(transport: OpenTransport) -> None:
    def cut_after_three(frame: Frame) -> Optional[bytes]:
        if frame.connection == 1 and len(broker.sent()) > 3:
            return None
        return orderly(frame)

    sent = messages(6)
    with OddBroker(cut_after_three) as broker:
        outcomes = list(transport(broker.url).deliver(sent))
        again = [f.headers["empa-id"] for f in broker.sent() if f.connection == 2]
    assert [o.id for o in outcomes] == [m.id for m in sent]
    assert again == [m.id for m in sent[3:]]


def test_a_complaint_about_one_message_refuses_that_one(transport: OpenTransport) -> None:
    sent = messages(4)

    def picky(frame: Frame) -> Optional[bytes]:
        if frame.receipt == sent[1].id:
            return error("Conversion failed", frame.receipt)
        return orderly(frame)

    with OddBroker(picky) as broker:
        outcomes = {o.id: o for o in transport(broker.url).deliver(sent)}
    assert [outcomes[m.id].acknowledged for m in sent] == [True, False, True, True]
    assert outcomes[sent[1].id] == Outcome(sent[1].id, False, f"127.0.0.1:{broker.port}", "Conversion failed")


@pytest.mark.parametrize(
    "words",
    [
        "The maximum data length was exceeded",
        "Frame size of 257 MB larger than max allowed 100 MB",
        "Maximum message size exceeded",
        "message too large",
    ],
)
def test_a_complaint_about_size_says_so(transport: OpenTransport, words: str) -> None:
    sent = messages(8)

    def small(frame: Frame) -> Optional[bytes]:
        return error(words, frame.receipt) if frame.receipt in {m.id for m in sent[2:4]} else orderly(frame)

    with OddBroker(small) as broker:
        outcomes = {o.id: o for o in transport(broker.url).deliver(sent)}
        peer = f"127.0.0.1:{broker.port}"
    assert outcomes[sent[2].id] == Outcome(sent[2].id, False, peer, words, too_large=True)
    assert sum(o.acknowledged for o in outcomes.values()) == 6


@pytest.mark.parametrize(
    "words", ["User host is not authorized to write to: queue://central", "No user for client certificate: CN=host"]
)
def test_a_missing_right_refuses_us_and_no_message(transport: OpenTransport, words: str) -> None:
    def closed(frame: Frame) -> Optional[bytes]:
        return error(words, frame.receipt) if frame.command == "SEND" else orderly(frame)

    with OddBroker(closed) as broker, pytest.raises(RefusedError, match=words):
        list(transport(broker.url).deliver(messages(3)))


def test_not_let_in(transport: OpenTransport) -> None:
    def shut(frame: Frame) -> Optional[bytes]:
        return error("No user for client certificate: CN=host.example.org, DC=example, DC=org")

    with OddBroker(shut) as broker:
        with pytest.raises(RefusedError, match="does not let us in: No user for client certificate"):
            list(transport(broker.url).deliver(messages(1)))
        assert broker.connections == 1


def test_when_everything_is_refused_the_queue_is_spared(transport: OpenTransport) -> None:
    def refuses_all(frame: Frame) -> Optional[bytes]:
        return error("Strange", frame.receipt) if frame.command == "SEND" else orderly(frame)

    refused: List[Outcome] = []
    with OddBroker(refuses_all) as broker, pytest.raises(RefusedError, match="5 messages in a row"):
        refused.extend(transport(broker.url).deliver(messages(50)))
    assert [o.acknowledged for o in refused] == [False] * 5


def test_a_full_broker_is_left_for_another(transport: OpenTransport) -> None:
    def full(frame: Frame) -> Optional[bytes]:
        if frame.command == "SEND":
            return error("javax.jms.ResourceAllocationException: Persistent store is Full", frame.receipt)
        return orderly(frame)

    sent = messages(3)
    with OddBroker(full) as first, OddBroker() as second:
        outcomes = list(transport(first.url, second.url).deliver(sent))
    assert [(o.id, o.peer) for o in outcomes] == [(m.id, f"127.0.0.1:{second.port}") for m in sent]


def test_a_broker_that_cuts_every_connection_makes_no_message_guilty(transport: OpenTransport) -> None:
    def cuts(frame: Frame) -> Optional[bytes]:
        return None if frame.command == "SEND" else orderly(frame)

    outcomes: List[Outcome] = []
    with OddBroker(cuts) as broker, pytest.raises(UnreachableError):
        outcomes.extend(transport(broker.url, give_up_after=6).deliver(messages(3)))
    assert outcomes == []
    assert "ping" in [f.headers["empa-id"] for f in broker.sent()]


def test_missing_heart_beats_end_a_connection(transport: OpenTransport) -> None:
    def breathless(frame: Frame) -> Optional[bytes]:
        if frame.command == "STOMP":
            return CONNECTED.replace(b"heart-beat:0,0", b"heart-beat:1000,1000")
        return b"" if frame.connection == 1 else orderly(frame)

    with OddBroker(breathless) as broker:
        (outcome,) = transport(broker.url, heartbeat=1, receipt_timeout=60).deliver(messages(1))
        assert broker.connections == 2
    assert outcome.acknowledged


def test_a_broker_that_stops_reading_is_left_in_time(transport: OpenTransport) -> None:
    class Stalled(OddBroker):
        def _serve(self, connection, number) -> None:  # type: ignore[no-untyped-def]
            if number > 1:
                super()._serve(connection, number)
                return
            connection.recv(100)
            connection.sendall(CONNECTED)

    sent = [Message(new_id(), b"x" * 4_000_000) for _ in range(4)]
    with Stalled() as broker:
        outcomes = list(transport(broker.url, receipt_timeout=2).deliver(sent))
    assert [o.acknowledged for o in outcomes] == [True] * 4


def test_stomp_py_does_not_write_to_the_terminal(
    transport: OpenTransport, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def cuts_once(frame: Frame) -> Optional[bytes]:
        return None if frame.command == "SEND" and frame.connection == 1 else orderly(frame)

    with caplog.at_level(logging.DEBUG), OddBroker(cuts_once) as broker:
        list(transport(broker.url).deliver(messages(1)))
    assert not [record for record in caplog.records if record.name == "stomp.py"]
    assert capfd.readouterr() == ("", "")
