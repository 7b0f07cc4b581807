"""Somebody else listens where our slapd should: who? It is asked and named, and never fought."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Optional, Set

from fedcloud_agent.errors import TryAgainError
from fedcloud_agent.infosys.slapd.addresses import Address
from fedcloud_agent.ldap.greeting import NotLdapError, naming_contexts

_PATIENCE = 3.0
_LISTENING = "0A"


class PortTakenError(TryAgainError):
    """Another server listens on our port."""


def taken(address: Address) -> PortTakenError:
    """Return the error that names who listens at an address, as far as it can be told."""
    program = program_at(address.port)
    return PortTakenError(
        f"{address} is taken by {_kind(address)}" + (f": {program}" if program else ""),
        hint="stop it (a BDII: 'systemctl disable --now bdii'), or set infosys.port and register that port in GOCDB",
    )


def _kind(address: Address) -> str:
    try:
        contexts = naming_contexts(address.nearby, timeout=_PATIENCE)
    except NotLdapError:
        return "a server that does not speak LDAP"
    except OSError:
        return "a server that does not answer"
    return f"an LDAP server that holds {', '.join(contexts)}" if contexts else "an LDAP server that holds nothing"


def program_at(port: int) -> Optional[str]:
    """Return the program that listens on a port, with its process id, where /proc lets us see it."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for entry in os.listdir("/proc") if sockets else ():
        if entry.isdigit():
            process = Path("/proc", entry)
            with contextlib.suppress(OSError):  # of another user, or gone meanwhile
                for descriptor in (process / "fd").iterdir():
                    with contextlib.suppress(OSError):
                        if str(descriptor.readlink()) in sockets:
                            return f"{(process / 'comm').read_text(errors='replace').strip()} (process {entry})"
    return None


def _listening(port: int) -> Set[str]:
    """Return the inodes of the sockets that listen on a port."""
    inodes = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # a service may see nothing of /proc but processes
            for line in Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(words[9])
    return inodes
