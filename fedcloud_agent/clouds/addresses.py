"""Which addresses the world can reach. Pure."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


def is_routed(address: str) -> bool:
    """Tell whether an address is routed globally; what is none is not."""
    # most addresses of machines are private, and told by how they begin
    if address.startswith(("10.", "192.168.", "fd", "fe80:")):
        return False
    network, dot, host = address.rpartition(".")
    # what is set apart in IPv4 is never smaller than these 256, but for the wholly reserved 192.0.0.0/24
    return _is_global(f"{network}.1") if dot and host.isdecimal() and int(host) < 256 else _is_global(address)


@lru_cache(maxsize=4096)
def _is_global(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
