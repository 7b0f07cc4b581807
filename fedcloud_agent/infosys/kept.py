"""The tree as it is meant to be, on disk: a server that lost its own is loaded from it.

It is a file of SQLite, apart from the agent's store: the server that starts after a crash of the machine must answer
soon, needs nothing else, and has a tree of its own where two hosts share one store. What is in it can always be made
again from the clouds: a damaged file is put aside, not mourned.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path
from typing import Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from fedcloud_agent import durable
from fedcloud_agent.errors import StorageError
from fedcloud_agent.infosys import ldif
from fedcloud_agent.infosys.entry import Entry, digest
from fedcloud_agent.infosys.places import place_of

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE entry (
    place INTEGER NOT NULL,
    dn TEXT NOT NULL,
    digest BLOB NOT NULL,
    created TEXT,
    record TEXT NOT NULL,
    since INTEGER NOT NULL,
    gone INTEGER,
    PRIMARY KEY (place, dn)
) WITHOUT ROWID;
CREATE TABLE said (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_VERSION = 1
_PUT = """
INSERT INTO entry (dn, place, digest, created, record, since, gone) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (place, dn) DO UPDATE SET digest = excluded.digest, created = excluded.created, record = excluded.record,
    gone = excluded.gone
"""
_BUSY = 10.0
CREATION = "GLUE2EntityCreationTime"


class Held(NamedTuple):
    """What is known of an entry without reading it."""

    digest: bytes
    created: Optional[str]
    """Its creation time, as written; None for what has none."""
    since: int
    """Since when it is there."""
    gone: Optional[int]
    """Since when it is no longer offered, and waits to be deleted."""


class Changes(NamedTuple):
    """One step of the tree, written down before the server hears of it."""

    put: Tuple[Entry, ...] = ()
    """Added, or in the place of what was there."""
    gone: Tuple[Entry, ...] = ()
    """No longer offered, in the form in which they stay until they are deleted."""
    dropped: Tuple[str, ...] = ()


class Kept:
    """The file. Every method raises StorageError when the disk or the file does not let it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # -- what the server asks ------------------------------------------------------------------------------------------

    def wanted(self) -> Optional[str]:
        """Return the name of the load that a server has to stand on, or None while there is no tree at all."""
        return self.said().get("wanted")

    def records(self) -> Iterator[bytes]:
        """Yield the whole tree as LDIF, one entry at a time, in the order of the keys."""
        with self._open() as connection:
            if connection is not None:
                for (record,) in connection.execute("SELECT record FROM entry ORDER BY place, dn"):
                    yield record.encode("utf-8")

    # -- what the publisher asks ---------------------------------------------------------------------------------------

    def said(self) -> Dict[str, str]:
        """Return what was noted beside the tree."""
        with self._open() as connection:
            return {} if connection is None else dict(connection.execute("SELECT name, value FROM said"))

    def held(self) -> Dict[str, Held]:
        """Return what is known of every entry, by DN."""
        with self._open() as connection:
            if connection is None:
                return {}
            rows = connection.execute("SELECT dn, digest, created, since, gone FROM entry")
            return {row[0]: Held(*row[1:]) for row in rows}

    def entries(self, dns: Iterable[str]) -> Iterator[Entry]:
        """Yield the entries of these DNs that are there."""
        with self._open() as connection:
            if connection is not None:
                for dn in dns:
                    row = connection.execute(
                        "SELECT record FROM entry WHERE place = ? AND dn = ?", (place_of(dn), dn)
                    ).fetchone()
                    if row is not None:
                        yield from ldif.parse(row[0].splitlines(keepends=True))

    def put_aside_if_damaged(self) -> None:
        """Rename a file that is no database any more, so that a new one takes its place."""
        try:
            self.said()
        except StorageError as error:
            cause = error.__cause__
            if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, sqlite3.OperationalError):
                raise
            aside = self.path.with_suffix(".damaged")
            log.error("%s; it is put aside as %s, and a new one is made", error, aside)
            with self._told():
                self.path.replace(aside)

    # -- what the publisher writes -------------------------------------------------------------------------------------

    def step(self, changes: Changes, now: int, said: Dict[str, Optional[str]], *, since: Optional[int] = None) -> None:
        """Write one step down, durably and whole or not at all; a note that is None is taken away.

        ``since`` is from when on what is new counts as there, if that is not ``now``.
        """
        since = now if since is None else since
        with self._writing() as connection:
            connection.executemany(_PUT, ((*_row(one), since, None) for one in changes.put))
            connection.executemany(_PUT, ((*_row(one), since, now) for one in changes.gone))
            dropped = ((place_of(dn), dn) for dn in changes.dropped)
            connection.executemany("DELETE FROM entry WHERE place = ? AND dn = ?", dropped)
            _note(connection, said)

    def note(self, said: Dict[str, Optional[str]]) -> None:
        """Write notes down, durably."""
        with self._writing() as connection:
            _note(connection, said)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Optional[sqlite3.Connection]]:
        """Open it for reading; None when there is none yet."""
        if not self.path.exists():
            yield None
            return
        with self._told(), contextlib.closing(self._connect("ro")) as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self._make()
        with self._told(), contextlib.closing(self._connect("rw")) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY)
        connection.isolation_level = None
        return connection

    def _make(self) -> None:
        """Make an empty file that is there whole or not at all."""
        durable.make_directory(self.path.parent)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with self._told():
            temporary.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(str(temporary))) as connection:
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            temporary.chmod(0o640)
            durable.sync(temporary)
            temporary.rename(self.path)
            durable.sync(self.path.parent)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"the tree kept in {self.path} cannot be used: {error}",
                hint="it can be made again from the clouds: move the file away, then run "
                "'fedcloud-agent infosys publish'",
            ) from error


def _row(entry: Entry) -> Tuple[str, int, bytes, Optional[str], str]:
    return entry.dn, place_of(entry.dn), digest(entry), entry.first(CREATION), ldif.record(entry)


def _note(connection: sqlite3.Connection, said: Dict[str, Optional[str]]) -> None:
    for name, value in said.items():
        if value is None:
            connection.execute("DELETE FROM said WHERE name = ?", (name,))
        else:
            connection.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, value))
