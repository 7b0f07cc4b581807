"""Which addresses are routed: as the registries have it, whatever is taken for granted on the way."""

from __future__ import annotations

import ipaddress
import random

import pytest

from fedcloud_agent.clouds.addresses import is_routed


def test_all_kinds_of_addresses() -> None:
    chance = random.Random(1)
    networks = "10.1.2 172.16.3 172.32.1 192.168.0 192.0.2 198.51.100 100.64.1 169.254.1 127.0.0 8.8.8 193.1.2 224.0.1"
    told = [f"{network}.{chance.randrange(256)}" for network in networks.split() for _ in range(20)]
    told += ["2001:648:2ffc::1", "fd00::1", "fe80::1", "FE80::1", "::1", "2001:db8::1", "fec0::1"]
    assert {one: is_routed(one) for one in told} == {one: ipaddress.ip_address(one).is_global for one in told}


@pytest.mark.parametrize("text", ["", "none", "193.1.2", "193.1.2.256", "193.1.2.\u00b2", "10.0.0.1/8", "example.org"])
def test_what_is_no_address_is_not_routed(text: str) -> None:
    assert not is_routed(text)
