"""The server of ours, as the publisher sees it: which one answers, what it holds, and telling it of changes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Dict, Iterator, Optional, Sequence, Tuple

from fedcloud_agent.errors import StorageError, UnreachableError
from fedcloud_agent.infosys.entry import Entry, digest
from fedcloud_agent.infosys.glue20 import SUFFIX
from fedcloud_agent.infosys.slapd import serving
from fedcloud_agent.infosys.slapd.serving import Serving
from fedcloud_agent.ldap import Directory, NoSuchEntryError, Operation, Refused

_LOOK = 0.05


def identity(server: Serving) -> str:
    """Return what differs between any two servers."""
    return f"{server.load} {server.pid} {server.started}"


def answering(path: Path) -> Optional[Serving]:
    """Return the server that answers now; None while there is none."""
    try:
        found = serving.read(path)
    except StorageError:
        return None  # its owner replaces the file
    return found if found is not None and Path("/proc", str(found.pid)).exists() else None


def await_load(path: Path, wanted: str, deadline: float) -> Serving:
    """Wait until the server stands on a load, and return it. ``deadline`` in seconds. Raises UnreachableError."""
    end = time.monotonic() + deadline
    while True:
        found = answering(path)
        if found is not None and found.load == wanted:
            return found
        if time.monotonic() >= end:
            raise UnreachableError(
                "the tree is written down, but the server has not taken it"
                if found is not None
                else "the tree is written down, but no server of ours answers",
                hint="'systemctl status fedcloud-agent-infosys' tells why, or run 'fedcloud-agent infosys serve'",
            )
        time.sleep(_LOOK)


def digests(directory: Directory, base: str = SUFFIX, deadline: float = 60.0) -> Dict[str, bytes]:
    """Read a whole tree, entry by entry, and return the digest of each."""
    try:
        return {one.dn: digest(one) for one in read(directory, base, deadline=deadline)}
    except NoSuchEntryError:
        return {}


def read(
    directory: Directory, base: str = SUFFIX, *, scope: str = "subtree", deadline: float = 60.0
) -> Iterator[Entry]:
    """Yield the entries of a tree as a server holds them, without what it adds of its own."""
    for found in directory.search(base, scope=scope, deadline=deadline):
        yield Entry(found.dn, found.attributes)


def tell(directory: Directory, phases: Sequence[Tuple[Operation, ...]], deadline: float) -> Tuple[Refused, ...]:
    """Send phases one after the other, each answered before the next; stop after one in which anything was refused."""
    end = time.monotonic() + deadline
    for phase in phases:
        refused = directory.phase(phase, deadline=max(1.0, end - time.monotonic()))
        if refused:
            return tuple(refused)
    return ()
