"""Machines that were let go: all that is left of each is a digest, so that it is never taken for a new one.

Some clouds show a machine for years after its end. It was reported then, and must not be counted again.
"""

from __future__ import annotations

import hashlib
from typing import Collection, FrozenSet, List, Sequence, Tuple

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.tables import departed
from fedcloud_agent.clouds.contract import COMPLETED, Problem, VirtualMachine
from fedcloud_agent.store.bulk import run_many

_CHUNK = 500
_ANY = select(departed.c.digest).where(departed.c.cloud == bindparam("of_cloud")).limit(1)
_AMONG = select(departed.c.digest).where(
    departed.c.cloud == bindparam("of_cloud"), departed.c.digest.in_(bindparam("digests", expanding=True))
)
_NOTE = insert(departed)


def digest(uuid: str) -> str:
    """Return what is kept of a VMUUID."""
    return hashlib.blake2b(uuid.encode(), digest_size=16).hexdigest()


def note(connection: Connection, cloud: str, uuids: Sequence[str]) -> None:
    """Remember machines that are let go."""
    run_many(connection, _NOTE, [{"cloud": cloud, "digest": digest(uuid)} for uuid in uuids])


def among(connection: Connection, cloud: str, uuids: Sequence[str]) -> FrozenSet[str]:
    """Return those of these machines that were let go."""
    if not uuids or connection.execute(_ANY, {"of_cloud": cloud}).first() is None:
        return frozenset()
    by_digest = {digest(uuid): uuid for uuid in uuids}
    digests = list(by_digest)
    found: List[str] = []
    for begin in range(0, len(digests), _CHUNK):
        rows = connection.execute(_AMONG, {"of_cloud": cloud, "digests": digests[begin : begin + _CHUNK]})
        found.extend(by_digest[one] for one in rows.scalars())
    return frozenset(found)


def contradictions(machines: Sequence[VirtualMachine], gone: Collection[str]) -> Tuple[Problem, ...]:
    """Return what a person should hear of: machines that were let go as ended, and are alive."""
    return tuple(
        Problem(
            f"machine {machine.uuid}",
            "it is alive, but was taken for ended so long ago that its records were let go: it is not reported",
        )
        for machine in machines
        if machine.uuid in gone and machine.status != COMPLETED
    )
