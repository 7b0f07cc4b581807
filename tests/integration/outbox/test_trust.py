"""Whom we trust, and who trusts us: every refusal of TLS has its own words."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from fedcloud_agent.errors import ConfigurationError, RefusedError, UnreachableError
from fedcloud_agent.outbox.transport import Message
from tests.federation.authority import Authority
from tests.federation.broker import Broker
from tests.federation.controller import free_port
from tests.integration.outbox.conftest import OpenTransport

MESSAGE = Message("6b032404/6b0324233400e5", b"APEL-cloud-message: v0.4\n")
DAY = 86400


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "Another CA")


def test_ping_names_the_broker_and_leaves_nothing(broker: Broker, transport: OpenTransport) -> None:
    assert transport(broker.url).ping() == f"localhost:{broker.port}"


def test_a_broker_of_an_unknown_ca(broker: Broker, transport: OpenTransport, other: Authority) -> None:
    began = time.monotonic()
    with pytest.raises(RefusedError, match="issued by no CA of"):
        list(transport(broker.url, ca_path=other.anchors).deliver([MESSAGE]))
    assert time.monotonic() - began < 5, "certificates do not heal by trying again"


def test_a_ca_file_serves_as_well_as_a_directory(
    broker: Broker, transport: OpenTransport, authority: Authority
) -> None:
    assert transport(broker.url, ca_path=authority.certificate).ping()


def test_a_broker_with_another_name(authority: Authority, transport: OpenTransport, tmp_path: Path) -> None:
    elsewhere = authority.host("elsewhere.example.org", dns=(), addresses=("127.0.0.1",))
    with Broker(tmp_path / "broker", authority, credential=elsewhere) as broker:
        with pytest.raises(RefusedError, match="is not for the name localhost"):
            transport(broker.url).ping()
        assert transport(f"stomp+ssl://127.0.0.1:{broker.port}").ping() == f"127.0.0.1:{broker.port}"


def test_a_broker_whose_certificate_has_expired(authority: Authority, transport: OpenTransport, tmp_path: Path) -> None:
    expired = authority.host("expired.example.org", valid=(-2 * DAY, -DAY))
    with (
        Broker(tmp_path / "broker", authority, credential=expired) as broker,
        pytest.raises(RefusedError, match="has expired"),
    ):
        transport(broker.url).ping()


def test_our_certificate_of_a_ca_that_the_broker_does_not_know(
    broker: Broker, transport: OpenTransport, other: Authority
) -> None:
    with pytest.raises(RefusedError, match="refused our certificate"):
        list(transport(broker.url, credential=other.host("foreign.example.org")).deliver([MESSAGE]))


def test_our_certificate_expired(broker: Broker, transport: OpenTransport, authority: Authority) -> None:
    expired = authority.host("host.example.org", file="expired", valid=(-2 * DAY, -DAY))
    with pytest.raises(RefusedError, match="expired at"):
        list(transport(broker.url, credential=expired).deliver([MESSAGE]))


def test_our_certificate_with_the_key_of_another(transport: OpenTransport, authority: Authority) -> None:
    mixed = authority.host("one.example.org")
    mixed.key.write_bytes(authority.host("two.example.org").key.read_bytes())
    with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
        transport("stomp+ssl://localhost:6162", credential=mixed)


def test_nobody_there(transport: OpenTransport) -> None:
    port = free_port()
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=f"localhost:{port} cannot be reached: Connection refused"):
        list(transport(f"stomp+ssl://localhost:{port}", give_up_after=2).deliver([MESSAGE]))
    assert 1.5 < time.monotonic() - began < 6


def test_a_server_that_takes_the_connection_and_says_nothing(transport: OpenTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("stomp", "stomp+ssl"):
            began = time.monotonic()
            with pytest.raises(UnreachableError, match=r"says nothing|no answer within"):
                list(transport(f"{scheme}://127.0.0.1:{port}", connect_timeout=1, give_up_after=1).deliver([MESSAGE]))
            assert time.monotonic() - began < 6


def test_tls_and_no_tls_confused(broker: Broker, transport: OpenTransport) -> None:
    with pytest.raises(UnreachableError, match="closed the connection"):
        transport(f"stomp://localhost:{broker.port}").ping()
