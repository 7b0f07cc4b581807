"""Messages through a real broker: all of them, in order, whatever happens to the broker meanwhile."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.transport import Message, Outcome
from tests.federation.authority import Authority, Credential
from tests.federation.broker import Broker
from tests.federation.controller import free_port
from tests.federation.subscriber import Received, Subscriber
from tests.integration.outbox.conftest import MAX_FRAME, OpenTransport

BODY = "APEL-cloud-message: v0.4\nVMUUID: vm-{number}\nSiteName: EXAMPLE-SITE\nStatus: started\n%%\n"


def messages(count: int, size: int = 0) -> List[Message]:
    return [Message(new_id(), BODY.format(number=n).encode().ljust(size, b"\n")) for n in range(count)]


def first_arrivals(received: List[Received]) -> List[str]:
    return list(dict.fromkeys(message.id for message in received))


def test_a_thousand_messages_arrive_in_order_each_once(broker: Broker, transport: OpenTransport, queue: str) -> None:
    sent = messages(1000)
    outcomes = list(transport(broker.url).deliver(sent))
    assert sorted(o.id for o in outcomes) == sorted(m.id for m in sent)
    assert all(o.acknowledged and o.peer == f"localhost:{broker.port}" for o in outcomes)
    with Subscriber(broker, queue) as subscriber:
        received = subscriber.messages(1000)
        assert [message.id for message in received] == [message.id for message in sent]
        assert received[0].headers["persistent"] == "true"
        assert subscriber.messages(idle=0.3) == []


def test_what_arrives_passes_the_receivers_checks(
    broker: Broker, transport: OpenTransport, queue: str, authority: Authority, host: Credential, tmp_path: Path
) -> None:
    sent = messages(1)
    list(transport(broker.url).deliver(sent))
    with Subscriber(broker, queue) as subscriber:
        (received,) = subscriber.messages(1)
    assert b"pkcs7-mime" not in received.body

    def openssl(*arguments: str, text: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *arguments], input=text, capture_output=True, timeout=30, check=False)

    signer = tmp_path / "signer.pem"
    opened = openssl("smime", "-pk7out", text=received.body)
    certificates = openssl("pkcs7", "-print_certs", text=opened.stdout).stdout
    assert certificates.count(b"BEGIN CERTIFICATE") == 1
    signer.write_bytes(certificates)
    chain = openssl("verify", "-CApath", str(authority.anchors), str(signer), text=b"")
    assert chain.returncode == 0, chain.stderr
    subject = openssl("x509", "-in", str(signer), "-noout", "-subject", "-nameopt", "compat", text=b"").stdout
    assert subject.decode().strip() == f"subject={host.dn}"
    verified = openssl("smime", "-verify", "-noverify", text=received.body)
    assert b"Verification successful" in verified.stderr
    _, _, body = verified.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")
    assert body.rstrip(b"\n") == sent[0].body.rstrip(b"\n")


def test_encrypted_for_a_receiver(broker: Broker, transport: OpenTransport, queue: str, authority: Authority) -> None:
    receiver = authority.host("repository.example.org")
    sent = messages(2)
    outcomes = list(transport(broker.url, encrypt_for=receiver.certificate, cipher="aes256").deliver(sent))
    assert [o.acknowledged for o in outcomes] == [True, True]
    with Subscriber(broker, queue) as subscriber:
        received = subscriber.messages(2)
    assert b"application/x-pkcs7-mime" in received[0].body
    assert b"VMUUID" not in received[0].body
    command = ["openssl", "smime", "-decrypt", "-recip", str(receiver.certificate), "-inkey", str(receiver.key)]
    signed = subprocess.run(command, input=received[0].body, capture_output=True, check=True, timeout=30).stdout
    assert b"multipart/signed" in signed
    assert b"VMUUID: vm-0" in signed


@pytest.mark.parametrize("how", ["restart", "power cut"])
def test_a_broker_that_goes_and_comes_back_in_mid_batch_loses_nothing(
    how: str, broker: Broker, transport: OpenTransport
) -> None:
    queue = f"/queue/{how.replace(' ', '-')}"
    sent = messages(300, size=20_000)
    outcomes: List[Outcome] = []
    under_way = threading.Event()

    def deliver() -> None:
        for outcome in transport(broker.url, queue=queue).deliver(sent):
            outcomes.append(outcome)
            if len(outcomes) == 60:
                under_way.set()

    # the delivery has the thread: a server dies with the thread that started it
    delivery = threading.Thread(target=deliver)
    delivery.start()
    assert under_way.wait(30)
    if how == "restart":
        broker.stop()
    else:
        broker.kill()
    assert len(outcomes) < len(sent), "it was all over too early to show anything"
    broker.start()
    delivery.join(60)
    assert [o.acknowledged for o in outcomes] == [True] * len(sent)
    assert sorted(o.id for o in outcomes) == sorted(m.id for m in sent)
    assert_nothing_lost(broker, queue, sent)


def assert_nothing_lost(broker: Broker, queue: str, sent: List[Message]) -> None:
    with Subscriber(broker, queue) as subscriber:
        received = subscriber.messages(idle=2)
    assert first_arrivals(received) == [message.id for message in sent]
    for message in {message.id: message for message in received}.values():
        copies = {copy.body for copy in received if copy.id == message.id}
        assert len(copies) == 1, "a message was sent again with other bytes"


def test_a_message_larger_than_the_broker_takes_is_refused_and_the_rest_goes_on(
    broker: Broker, transport: OpenTransport, queue: str
) -> None:
    sent = messages(120)
    large = Message(new_id(), b"x" * (MAX_FRAME + 1000))
    sent[40:40] = [large]
    outcomes = list(transport(broker.url).deliver(sent))
    (refused,) = (o for o in outcomes if not o.acknowledged)
    assert refused.id == large.id
    assert "cuts the connection" in refused.reason and refused.too_large and refused.peer == ""
    assert sorted(o.id for o in outcomes) == sorted(m.id for m in sent)
    with Subscriber(broker, queue) as subscriber:
        received = [message for message in subscriber.messages(idle=1) if message.id != "ping"]
    assert first_arrivals(received) == [message.id for message in sent if message is not large]


def test_what_the_receiver_could_not_read_never_leaves(broker: Broker, transport: OpenTransport, queue: str) -> None:
    bad = [
        Message(new_id(), "VMUUID: caf\u00e9\n".encode()),
        Message(new_id(), b"MachineName: application/pkcs7-mime\n"),
        Message("../../etc/passwd", b"VMUUID: vm\n"),
    ]
    good = messages(2)
    outcomes = {o.id: o for o in transport(broker.url).deliver([bad[0], good[0], bad[1], bad[2], good[1]])}
    assert [outcomes[m.id].acknowledged for m in good] == [True, True]
    assert ["ASCII" in outcomes[bad[0].id].reason, "encrypted" in outcomes[bad[1].id].reason] == [True, True]
    assert all(not outcomes[m.id].acknowledged and outcomes[m.id].peer == "" for m in bad)
    with Subscriber(broker, queue) as subscriber:
        assert [m.id for m in subscriber.messages(idle=0.5)] == [m.id for m in good]


def test_messages_are_drawn_only_as_the_window_allows(broker: Broker, transport: OpenTransport) -> None:
    drawn = 0

    def source() -> Iterator[Message]:
        nonlocal drawn
        for message in messages(50):
            drawn += 1
            yield message

    delivery = transport(broker.url, window=5).deliver(source())
    for answered in range(1, 20):
        next(delivery)
        assert drawn <= answered + 5
    delivery.close()  # type: ignore[attr-defined]


def test_the_second_broker_serves_where_the_first_is_down(broker: Broker, transport: OpenTransport, queue: str) -> None:
    dead = f"stomp+ssl://localhost:{free_port()}"
    sent = messages(3)
    outcomes = list(transport(dead, broker.url).deliver(sent))
    assert {o.peer for o in outcomes} == {f"localhost:{broker.port}"}
    with Subscriber(broker, queue) as subscriber:
        assert [m.id for m in subscriber.messages(3)] == [m.id for m in sent]


def test_no_connection_is_made_for_nothing(transport: OpenTransport) -> None:
    assert list(transport(f"stomp+ssl://localhost:{free_port()}").deliver([])) == []
