"""The addresses to listen on: which of them this machine has, and which are taken."""

from __future__ import annotations

import errno
import logging
import socket
import time
from typing import List, NamedTuple, Optional, Sequence, Tuple

from fedcloud_agent.errors import ConfigurationError, RefusedError

log = logging.getLogger(__name__)

# what a machine without a family answers (the first three), or one without this very address
_MISSING = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EINVAL, errno.EADDRNOTAVAIL)
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- a public service


class Address(NamedTuple):
    """A numeric address and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as slapd wants it."""
        return f"ldap://{self}"

    @property
    def nearby(self) -> Tuple[str, int]:
        """Where to ask who answers there."""
        return _ANY.get(self.host, self.host), self.port

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def present(hosts: Sequence[str], port: int) -> List[Address]:
    """Return those addresses that this machine has; a family that it does not have is left out and said.

    Raises ConfigurationError when it has none of them, RefusedError when the port is not for us.
    """
    found = []
    for address in (Address(host, port) for host in hosts):
        number = _bind(address)
        if number in _MISSING:
            log.info("this machine has no address %s: nobody can ask there", address.host)
        elif number in (errno.EACCES, errno.EPERM):
            raise RefusedError(
                f"listening on {address} is not allowed: permission denied",
                hint="choose a port above 1023 in infosys.port, and allow it in the unit (SocketBindAllow)",
            )
        else:
            found.append(address)
    if not found:
        raise ConfigurationError(
            f"this machine has none of the addresses {', '.join(hosts)}", hint="correct infosys.listen"
        )
    return found


def taken(addresses: Sequence[Address]) -> Optional[Address]:
    """Return the first address on which somebody listens."""
    return next((one for one in addresses if _bind(one) == errno.EADDRINUSE), None)


def await_free(addresses: Sequence[Address], patience: float) -> bool:
    """Wait until nobody listens there; False when ``patience`` seconds were not enough."""
    until = time.monotonic() + patience
    while taken(addresses) is not None:
        if time.monotonic() > until:
            return False
        time.sleep(0.0005)
    return True


def _bind(address: Address) -> int:
    """Try an address the way slapd will, and return the error's number; 0: it is ours to take."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as channel:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            channel.bind(address)
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0
