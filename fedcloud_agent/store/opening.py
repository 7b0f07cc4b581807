"""How a database is opened: in the right state of migration, alone where that has to change, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Iterator, Optional

import sqlalchemy
from sqlalchemy.engine import Engine

from fedcloud_agent.durable import make_directory
from fedcloud_agent.errors import CannotCreateError, ConfigurationError, TryAgainError
from fedcloud_agent.store import copies
from fedcloud_agent.store.engine import FILE_NAME, DamagedError, Store, other_engine, sqlite_engine, translated

log = logging.getLogger(__name__)

HEAD = "0006"
"""The newest migration; a test holds it against Alembic's own head, so that a run need not import Alembic."""

LOCK_NAME = "store.lock"


def open_store(state: Path, url: Optional[str] = None, busy_timeout: int = 30) -> Store:
    """Open the agent's database, migrating it first when it is of an older release.

    ``state``: the state directory; the embedded database is a file in it. ``url``: another database instead.
    Raises ConfigurationError for a database of a newer release, TryAgainError when other runs hold the one that has to
    be migrated, StorageError when it cannot be read and there is no copy to go back to.
    """
    make_directory(state)
    path = None if url else state / FILE_NAME
    if path is not None and not path.exists() and copies.exists(path):
        # a new ledger would forget what was published, and report it under other keys
        _restore(state, path)
    engine = other_engine(url) if url else sqlite_engine(state / FILE_NAME, busy_timeout)
    store = Store(engine, path)
    try:
        if path is not None and copies.is_suspect(path):
            copies.verify(path)
            copies.clear(path)
        if _revision(engine, path) != HEAD:
            _migrate(store, state)
    except DamagedError:
        engine.dispose()
        if path is None:
            raise
        _restore(state, path)
        if _revision(engine, path) != HEAD:
            _migrate(store, state)
    return store


def _restore(state: Path, path: Path) -> None:
    with _alone(state):
        aside = copies.restore(path)
        copies.clear(path)
    log.error(
        "%s was %s: its last copy was put in its place, so that everything since is listed and sent anew%s. "
        "Look for errors of the disk",
        path,
        "damaged" if aside else "missing",
        f"; the damaged one is kept as {aside}" if aside else "",
    )


@contextlib.contextmanager
def in_use(store: Store, state: Path) -> Iterator[Store]:
    """Use an open database for one run: nobody migrates it meanwhile; damage is seen to at the next opening."""
    try:
        with shared(state):
            yield store
    except DamagedError:
        if store.path is not None:
            copies.suspect(store.path)
        raise
    finally:
        store.close()


def _revision(engine: Engine, path: Optional[Path]) -> Optional[str]:
    """Return the database's state of migration; None for an empty database."""
    with translated(path), engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        revision = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision > HEAD:
        raise ConfigurationError(
            f"{path or 'the database'} is of a newer release (state {revision}, this release knows {HEAD})",
            hint="install that release again, or put back the copy that its upgrade made beside the database",
        )
    return str(revision) if revision is not None else None


def _migrate(store: Store, state: Path) -> None:
    with _alone(state):
        revision = _revision(store.engine, store.path)  # another process may have done it while we waited
        if revision == HEAD:
            return
        if store.path is not None and revision is not None:
            copies.copy(store.path, store.path.with_suffix(f".before-{HEAD}.db"))
        _upgrade(store.engine)


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "fedcloud_agent.store:migrations")

    with translated(None), engine.connect().execution_options(fedcloud_write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextlib.contextmanager
def shared(state: Path) -> Iterator[None]:
    """Hold off migrations and repairs while a run uses the database; every run does so. Raises TryAgainError."""
    with _locked(state, fcntl.LOCK_SH, 30):
        yield


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    with _locked(state, fcntl.LOCK_EX, 30):
        yield


@contextlib.contextmanager
def _locked(state: Path, kind: int, patience: float) -> Iterator[None]:
    path = state / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise CannotCreateError(f"the lock {path} cannot be opened: {error.strerror}") from error
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TryAgainError(
                        "the database is being migrated or repaired, or is in use while it has to be",
                        hint="wait until the other runs have ended; 'fedcloud-agent status' shows them",
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
