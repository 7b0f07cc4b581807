"""Which of a machine's addresses the world can reach. Pure."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Collection, Iterable

from fedcloud_plugins.opennebula.row import Nic


def public_addresses(nics: Iterable[Nic], networks: Collection[str]) -> int:
    """Return how many different addresses are routed globally, or are of one of ``networks``, by name or id."""
    return len(
        {
            address
            for nic in nics
            for address in nic.addresses
            if _is_global(address) or nic.network in networks or nic.network_id in networks
        }
    )


@lru_cache(maxsize=65536)
def _is_global(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
