from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from fedcloud_agent.clock import now as wall_clock
from fedcloud_agent.outbox.ams import AmsTransport
from fedcloud_agent.outbox.settings import AmsDestination, StompDestination
from fedcloud_agent.outbox.stomp import StompTransport
from tests.federation.ams import AmsSimulator
from tests.federation.authority import Authority, Credential
from tests.federation.broker import Broker

MAX_FRAME = 200_000
"""Bytes that the broker of these tests takes in one frame."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def host(authority: Authority) -> Credential:
    return authority.host("host.example.org")


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker"), authority, max_frame_size=MAX_FRAME) as running:
        yield running


@pytest.fixture
def queue(request: pytest.FixtureRequest) -> str:
    return f"/queue/{request.node.name}"


OpenTransport = Callable[..., StompTransport]


@pytest.fixture
def transport(authority: Authority, host: Credential, queue: str) -> OpenTransport:
    """A way to open the transport with the settings of these tests; any may be given otherwise."""

    def opened(*brokers: str, credential: Credential = host, **other: Any) -> StompTransport:
        values = {
            "ca_path": authority.anchors,
            "connect_timeout": 2,
            "receipt_timeout": 20,
            "give_up_after": 30,
            "queue": queue,
            **other,
        }
        certificate, key = Path(credential.certificate), Path(credential.key)
        return StompTransport(StompDestination(brokers=brokers, certificate=certificate, key=key, **values))

    return opened


@pytest.fixture(scope="module")
def service(authority: Authority, host: Credential, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AmsSimulator]:
    with AmsSimulator(tmp_path_factory.mktemp("ams"), authority, [host.dn]) as running:
        yield running


@pytest.fixture
def ams(service: AmsSimulator) -> AmsSimulator:
    """The service without faults, with an empty diary."""
    service.fault()
    service.forget_seen()
    return service


OpenAms = Callable[..., AmsTransport]


@pytest.fixture
def opened(authority: Authority, host: Credential, service: AmsSimulator) -> OpenAms:
    """A way to open the transport to the service; any setting may be given otherwise."""

    def opened(*, credential: Credential = host, now: Callable[[], int] = wall_clock, **other: Any) -> AmsTransport:
        values = {
            "host": "localhost",
            "port": service.port,
            "authn_port": service.authn_port,
            "ca_path": authority.anchors,
            "timeout": 5,
            "give_up_after": 20,
            **other,
        }
        settings = AmsDestination(certificate=credential.certificate, key=credential.key, **values)
        return AmsTransport(settings, now=now)

    return opened
