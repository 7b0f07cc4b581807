"""The central repository on a real broker: what is sent, signed, to its queue is verified, loaded and noted."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from tests.federation.authority import Authority, Credential
from tests.federation.broker import Broker
from tests.federation.central import Delivery, Usage
from tests.federation.central.controller import QUEUE, CentralRepository
from tests.federation.central.wire import Link
from tests.federation.central.writing import message, record

BODY = message(record(RecordCreateTime=1770854400, WallDuration=500))


class Sender:
    """A site that sends one message at a time and awaits the broker's receipt."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.credential: Credential = broker.authority.host("site.example.org")

    def signed(self, body: str, *options: str) -> str:
        """Sign as ssmsend does."""
        command = ["openssl", "smime", "-sign", "-inkey", str(self.credential.key)]
        command += ["-signer", str(self.credential.certificate), *options]
        return subprocess.run(command, input=body, capture_output=True, text=True, check=True, timeout=60).stdout

    def send(self, messages: Dict[str, str]) -> None:
        """Send texts by their identities; the broker has them on disk when this returns."""
        address = ("localhost", self.broker.port)
        with Link(address, self.credential.certificate, self.credential.key) as link:
            for identity, text in messages.items():
                headers = {"destination": QUEUE, "empa-id": identity, "receipt": identity, "persistent": "true"}
                link.send("SEND", headers, text.encode())
                assert link.await_frame("RECEIPT").headers["receipt-id"] == identity


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    directory = tmp_path_factory.mktemp("broker")
    with Broker(directory / "activemq", Authority(directory / "ca")) as running:
        yield running


@pytest.fixture(scope="module")
def sender(broker: Broker) -> Sender:
    return Sender(broker)


@pytest.fixture
def central(broker: Broker, sender: Sender, tmp_path: Path) -> Iterator[CentralRepository]:
    with CentralRepository(tmp_path / "central", broker, [sender.credential.dn], deaf_seconds=1) as running:
        yield running


def arrived(central: CentralRepository, count: int) -> List[Delivery]:
    """Return the deliveries, once there are as many."""
    deadline = time.monotonic() + 60
    with central.repository() as repository:
        while len(repository.messages()) < count:
            assert time.monotonic() < deadline, (repository.messages(), central.log.read_text())
            time.sleep(0.05)
        return repository.messages()


def test_messages_are_verified_loaded_and_noted(central: CentralRepository, sender: Sender) -> None:
    sender.send(
        {
            "5ba24c88/5ba24c8f0f129d": sender.signed(BODY, "-text"),
            "ping": "",
            "nothing": sender.signed("APEL-cloud-message: v0.4\n", "-text"),
            "unsigned": BODY,
            "unknown-key": sender.signed(BODY.replace("Status", "Colour"), "-text"),
            "again": sender.signed(message(record(VMUUID="vm-2", RecordCreateTime=1770854400)), "-text"),
        }
    )
    seen = arrived(central, 6)
    assert {each.empa_id: (each.outcome, each.records) for each in seen} == {
        "5ba24c88/5ba24c8f0f129d": ("accepted", 1),
        "ping": ("ping", 0),
        "nothing": ("accepted", 0),
        "unsigned": ("rejected", 0),
        "unknown-key": ("rejected", 0),
        "again": ("accepted", 1),
    }
    assert seen[0].signer == sender.credential.dn
    with central.repository() as repository:
        assert [each.reason for each in repository.rejects()] == [
            "Failed to verify message: Unverified signer",
            "Unknown field: Colour",
        ]
        assert repository.usage()[("vm-1", 2026, 2)] == Usage(500, None, None, None)
        assert [row.wall for row in repository.summarise(1770900000)] == [500]
        assert repository.two_faced() == []


def test_dn_may_be_allowed_while_it_runs(central: CentralRepository, sender: Sender) -> None:
    central.allow([])
    sender.send({"early": sender.signed(BODY, "-text")})
    assert [each.outcome for each in arrived(central, 1)] == ["rejected"]
    central.allow([sender.credential.dn])
    sender.send({"late": sender.signed(BODY, "-text")})
    assert [each.outcome for each in arrived(central, 2)] == ["rejected", "accepted"]


def test_ten_thousand_records_in_one_message(central: CentralRepository, sender: Sender) -> None:
    many = message(*(record(VMUUID=f"vm-{number}", RecordCreateTime=1770854400) for number in range(10000)))
    sender.send({"many": sender.signed(many, "-text")})
    assert [each.records for each in arrived(central, 1)] == [10000]


def test_message_that_kills_the_connection_is_lost_and_the_next_one_waits(
    central: CentralRepository, sender: Sender
) -> None:
    deadly = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n"
    sender.send({"deadly": sender.signed(deadly)})
    assert [each.outcome for each in arrived(central, 1)] == ["lost"]
    sender.send({"next": sender.signed(BODY, "-text")})
    assert [(each.empa_id, each.outcome) for each in arrived(central, 2)] == [("deadly", "lost"), ("next", "accepted")]


def test_what_was_sent_while_it_was_down_is_taken_in_afterwards(central: CentralRepository, sender: Sender) -> None:
    central.kill()
    sender.send({f"id-{number}": sender.signed(BODY, "-text") for number in range(5)})
    central.start()
    assert [each.empa_id for each in arrived(central, 5)] == [f"id-{number}" for number in range(5)]


def test_it_comes_back_when_the_broker_does(central: CentralRepository, broker: Broker, sender: Sender) -> None:
    broker.restart()
    sender.send({"after": sender.signed(BODY, "-text")})
    assert [each.outcome for each in arrived(central, 1)] == ["accepted"]


def test_the_real_receivers_commands_and_acknowledgement(broker: Broker, sender: Sender, tmp_path: Path) -> None:
    with CentralRepository(tmp_path / "c", broker, [sender.credential.dn], ack="auto", faithful=True) as central:
        sender.send({"a": sender.signed(BODY, "-text")})
        assert [each.outcome for each in arrived(central, 1)] == ["accepted"]
        shown = subprocess.run(
            [sys.executable, "-m", "tests.federation.central.show", str(central.database), "usage"],
            env=central.environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert '"wall": 500' in shown.stdout
