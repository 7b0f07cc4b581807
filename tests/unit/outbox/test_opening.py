from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.outbox.opening import open_transport
from fedcloud_agent.outbox.settings import DESTINATIONS, Destination, DirectoryDestination, StompDestination
from fedcloud_agent.outbox.tls import parse_address
from fedcloud_agent.settings import REQUIRED, Setting, entries


def test_every_kind_has_a_transport(tmp_path: Path) -> None:
    assert type(open_transport(DirectoryDestination(path=tmp_path))).__name__ == "DirectoryTransport"
    missing = tmp_path / "hostcert.pem"
    with pytest.raises(ConfigurationError, match=r"hostcert\.pem cannot be read"):
        open_transport(StompDestination(brokers=("stomp+ssl://localhost",), certificate=missing))
    with pytest.raises(TypeError):
        open_transport(Destination())


@pytest.mark.parametrize("table", DESTINATIONS.values())
def test_defaults_and_examples_are_what_their_kinds_take(table: Any) -> None:
    for key, entry in entries(table).items():
        assert isinstance(entry, Setting), key
        if entry.default is not REQUIRED and entry.default is not None:
            assert entry.kind.parse(entry.kind.write(entry.default)) == entry.default, key
        if entry.example is not None:
            entry.kind.parse(entry.example)


def test_only_the_brokers_must_be_given() -> None:
    required = {key for key, entry in entries(StompDestination).items() if getattr(entry, "default", 0) is REQUIRED}
    assert required == {"brokers"}


@pytest.mark.parametrize(
    ("url", "shown", "tls"),
    [
        ("stomp+ssl://broker.example.org", "broker.example.org:6162", True),
        ("stomp://broker.example.org", "broker.example.org:6163", False),
        ("stomp+ssl://[::1]:61612", "[::1]:61612", True),
    ],
)
def test_addresses(url: str, shown: str, tls: bool) -> None:
    address = parse_address(url)
    assert (str(address), address.tls) == (shown, tls)


def test_settings_are_read_without_the_libraries_that_they_are_for() -> None:
    code = (
        "import sys; import fedcloud_agent.outbox.settings, fedcloud_agent.outbox.opening;"
        "print([m for m in ('stomp', 'cryptography', 'sqlalchemy', 'requests') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert result.stdout.strip() == "[]"
