from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from fedcloud_agent.outbox.settings import StompDestination
from fedcloud_agent.outbox.stomp import StompTransport
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
