"""The archives that were taken, kept for a while: the newest of each facility is what accounts are made by."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from fedcloud_agent import durable
from fedcloud_agent.clock import DAY
from fedcloud_agent.errors import StorageError
from fedcloud_agent.store.engine import Store
from fedcloud_agent.users import tables
from fedcloud_agent.users.delivery import Delivery

MOST_KEPT = 10
"""Archives of a facility."""
LONGEST_KEPT = 30 * DAY
"""They hold what is personal. The newest stays until there is a newer one."""


class Payload(NamedTuple):
    """An archive that was taken."""

    id: int
    facility: str
    service: str
    version: str
    run: Optional[str]
    received: int
    digest: str
    file: str


class Payloads:
    """The directory of archives and its index. Files are for their owner alone."""

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory, self._store = directory, store

    def keep(self, archive: bytes, delivery: Delivery, now: int) -> Payload:
        """Keep an archive, whole and on disk when this returns, and forget older ones.

        The file comes first: a crash leaves a file that nobody knows, and the next archive sweeps it away. Raises
        CannotCreateError and StorageError; then nothing is kept.
        """
        durable.make_directory(self._directory, mode=0o700)
        digest = hashlib.sha256(archive).hexdigest()
        file = f"{now}-{digest[:16]}.tar"
        durable.write_whole(self._directory / file, archive, mode=0o600)
        values = {
            "facility": delivery.facility,
            "service": delivery.service,
            "version": delivery.version,
            "run": delivery.run,
            "received": now,
            "digest": digest,
            "file": file,
        }
        with self._store.write() as connection:
            key = connection.execute(insert(tables.payload).values(**values)).inserted_primary_key
            for old in _outdated(self._listed(connection), now):
                connection.execute(delete(tables.payload).where(tables.payload.c.id == old.id))
        self._sweep()
        return Payload(int(key[0]), **values)  # type: ignore[arg-type]

    def newest(self, facility: str) -> Optional[Payload]:
        """Return the last archive of a facility, or None if none ever came."""
        return next((one for one in self.all() if one.facility == facility), None)

    def all(self) -> List[Payload]:
        """Return what is kept, the newest first."""
        with self._store.read() as connection:
            return self._listed(connection)

    def read(self, payload: Payload) -> bytes:
        """Return an archive. Raises StorageError when it is not what was kept."""
        path = self._directory / payload.file
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}", hint="let Perun push once more") from error
        if hashlib.sha256(data).hexdigest() != payload.digest:
            raise StorageError(f"{path} is damaged", hint="let Perun push once more; look for errors of the disk")
        return data

    def _listed(self, connection: Connection) -> List[Payload]:
        found = connection.execute(select(tables.payload).order_by(tables.payload.c.id.desc()))
        return [Payload(**dict(values)) for values in found.mappings()]

    def _sweep(self) -> None:
        known = {one.file for one in self.all()}
        for path in self._directory.glob("*.tar"):
            if path.name not in known:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()


def _outdated(listed: List[Payload], now: int) -> List[Payload]:
    counts: Dict[str, int] = {}
    found = []
    for one in listed:
        counts[one.facility] = counts.get(one.facility, 0) + 1
        number = counts[one.facility]
        if number > MOST_KEPT or (number > 1 and one.received < now - LONGEST_KEPT):
            found.append(one)
    return found
