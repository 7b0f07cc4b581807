"""Which of a machine's addresses the world can reach. Pure."""

from __future__ import annotations

from typing import Collection, Iterable

from fedcloud_agent.clouds.addresses import is_routed
from fedcloud_plugins.opennebula.row import Nic


def public_addresses(nics: Iterable[Nic], networks: Collection[str]) -> int:
    """Return how many different addresses are routed globally, or are of one of ``networks``, by name or id."""
    return len(
        {
            address
            for nic in nics
            for address in nic.addresses
            if is_routed(address) or nic.network in networks or nic.network_id in networks
        }
    )
