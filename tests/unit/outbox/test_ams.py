"""What can be said of the messaging service without one: sizes, settings, and that reading them costs nothing."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from fedcloud_agent.accounting.destinations import limits_of, preferred_peers
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.opening import open_transport
from fedcloud_agent.outbox.sealing import Seal
from fedcloud_agent.outbox.settings import AmsDestination
from fedcloud_agent.outbox.topic import request_of
from fedcloud_agent.outbox.transport import Message
from fedcloud_agent.settings import REQUIRED, entries
from tests.federation.authority import Authority


def test_a_request_has_the_form_that_the_receiver_reads() -> None:
    document = json.loads(request_of("5ba24c88/5ba24c8f0f129d", b"signed \xff text"))
    (message,) = document["messages"]
    assert message["attributes"] == {"empaid": "5ba24c88/5ba24c8f0f129d"}
    assert base64.b64decode(message["data"]) == b"signed \xff text"


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("largest", [20_000, 1_000_000])
def test_what_is_made_to_fit_fits(tmp_path: Path, encrypted: bool, largest: int) -> None:
    authority = Authority(tmp_path)
    host = authority.host("agent.example.org")
    receiver = authority.host("repository.example.org").certificate if encrypted else None
    settings = AmsDestination(certificate=host.certificate, key=host.key, largest_request=largest, encrypt_for=receiver)
    size = limits_of(AccountingSettings(message_size=5_000_000), settings).size
    lines = b"WallDuration: 12345\n" * (size // 20)
    seal = Seal(host.certificate, host.key, authority.anchors, receiver, "aes256", lambda: int(time.time()))
    wire = seal.wire(Message(new_id(), lines[: size - 4096]))  # the packing keeps so much for the signature
    request = request_of(new_id(), wire)
    assert 0.5 * largest < len(request) <= largest


def test_the_sites_own_limit_holds_where_it_is_smaller() -> None:
    assert limits_of(AccountingSettings(), AmsDestination()).size == AccountingSettings().message_size
    assert preferred_peers(AmsDestination()) == []


def test_nothing_must_be_given() -> None:
    assert not [key for key, entry in entries(AmsDestination).items() if getattr(entry, "default", 0) is REQUIRED]


def test_a_transport_without_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"hostcert\.pem cannot be read"):
        open_transport(AmsDestination(certificate=tmp_path / "hostcert.pem"))
