"""The door to the database: one engine, short transactions, and errors in words.

Several processes write: a transaction that writes takes the write lock when it begins (BEGIN IMMEDIATE, with PostgreSQL
an advisory lock), is short, and never waits for the network. What was committed is on disk (synchronous=FULL), since a
record's life depends on it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Iterator, Optional

import sqlalchemy
from sqlalchemy.engine import Connection, Engine

from fedcloud_agent.errors import AgentError, CannotCreateError, ConfigurationError, StorageError, TryAgainError

FILE_NAME = "agent.db"
_WRITERS = 4670562
"""The number of the lock by which writers of a PostgreSQL database keep apart."""


class DamagedError(StorageError):
    """The database file is not what we wrote; see :mod:`fedcloud_agent.store.copies` for the way back."""


class Store:
    """An open database. Get one from :func:`fedcloud_agent.store.opening.open_store`."""

    def __init__(self, engine: Engine, path: Optional[Path]) -> None:
        self.engine = engine
        self.path = path

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection inside a transaction that may write; commit at the end, roll back on any error."""
        with translated(self.path), self.engine.connect() as connection:
            connection = connection.execution_options(fedcloud_write=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection inside a transaction that sees one state of the database and writes nothing."""
        with translated(self.path), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def sqlite_engine(path: Path, busy_timeout: int) -> Engine:
    """Return an engine on a SQLite file, with the rules for several writers. Creates the file, not its directory."""
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise CannotCreateError(
                f"the database {path} cannot be made: {error.strerror}", hint="check the directory and its owner"
            ) from error
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}",
        future=True,
        # kept open: closing the last connection to a file folds its whole log back each time
        poolclass=sqlalchemy.pool.QueuePool,
        connect_args={"timeout": busy_timeout, "check_same_thread": False},
    )
    _rule_sqlite(engine)
    return engine


def _rule_sqlite(engine: Engine) -> None:
    """Have writers queue for the database before they read what they decide by, and commits outlast a power cut."""

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # some distributions have every freed page overwritten: twice the writing for each message that has left
        cursor.execute("PRAGMA secure_delete=FAST")
        cursor.close()

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("fedcloud_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sqlalchemy.event.listen(engine, "connect", prepare)
    sqlalchemy.event.listen(engine, "begin", begin)


def _rule_postgresql(engine: Engine) -> None:
    """Have writers queue for the database as they do with SQLite; readers are not kept waiting."""

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("fedcloud_write"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")

    sqlalchemy.event.listen(engine, "begin", begin)


def other_engine(url: str) -> Engine:
    """Return an engine on another database, named by an SQLAlchemy URL, with the same rules for several writers."""
    try:
        engine = sqlalchemy.create_engine(url, future=True, pool_pre_ping=True)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(f"the database URL cannot be used: {error}", hint="see store.url") from error
    if engine.dialect.name == "sqlite":
        _rule_sqlite(engine)
    elif engine.dialect.name == "postgresql":
        _rule_postgresql(engine)
    return engine


@contextlib.contextmanager
def translated(path: Optional[Path]) -> Iterator[None]:
    """Turn the database's exceptions into ours, which say what happened and what to do."""
    name = str(path) if path else "the database"
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise explain(str(error.orig), name) from error
    except sqlite3.Error as error:
        # of rows that were taken straight from the driver (store.bulk)
        raise explain(str(error), name) from error


def explain(message: str, name: str) -> AgentError:
    """Return the error that a database's own message stands for."""
    words = message.lower()
    if "locked" in words or "busy" in words:
        return TryAgainError(
            f"{name} is held by another process for longer than the busy timeout",
            hint="try again; 'fedcloud-agent status' shows what runs",
        )
    if "full" in words and "disk" in words:
        return StorageError(
            f"no room left for {name}: {message}",
            hint="free some space on that file system; nothing that was committed is lost, and the next run goes on",
        )
    if "malformed" in words or "not a database" in words or "corrupt" in words:
        return DamagedError(
            f"{name} is damaged: {message}", hint="the next start puts the last copy in its place and goes on from it"
        )
    if "readonly" in words or "unable to open" in words or "permission" in words:
        return CannotCreateError(
            f"{name} cannot be written: {message}", hint="check the owner and the rights of the state directory"
        )
    return StorageError(f"{name}: {message}", hint="see the journal; nothing that was committed is lost")
