"""Copies of the embedded database, and the way back from a damaged one.

A copy may be a day old. That loses nothing that the cloud or the repository still has: the marks in it are as old, so
the next extraction lists everything since, and every record is made and sent anew (the repository replaces).
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Optional

from fedcloud_agent import locks
from fedcloud_agent.durable import sync
from fedcloud_agent.errors import StorageError
from fedcloud_agent.store.engine import explain

COPY_SUFFIX = ".copy.db"
_SUSPECT_SUFFIX = ".suspect"


def copy(source: Path, target: Path) -> None:
    """Write a consistent copy of a live database, whole or not at all. Raises StorageError."""
    temporary = target.with_suffix(target.suffix + ".tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o600))
        reader, writer = sqlite3.connect(str(source), timeout=30), sqlite3.connect(str(temporary))
        try:
            reader.backup(writer)
        finally:
            writer.close()
            reader.close()
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        temporary.unlink(missing_ok=True)
        raise explain(str(error), str(source)) from error


def refresh(database: Path, now: int, every: int) -> bool:
    """Make the standing copy anew when it is older than ``every`` seconds; tell whether it was.

    Checks the database first, so that a damaged one never takes the place of a good copy. Where another process is at
    it, of several clouds that are read at once, it is left to that one.
    """
    target = database.with_suffix(COPY_SUFFIX)
    if _is_young(target, now, every):
        return False
    try:
        with locks.held(database.parent / "locks" / "copy.lock", "the copy of the database"):
            if _is_young(target, now, every):
                return False
            verify(database)
            copy(database, target)
    except locks.LockedError:
        return False
    return True


def _is_young(target: Path, now: int, every: int) -> bool:
    try:
        return abs(now - target.stat().st_mtime) < every
    except FileNotFoundError:
        return False


def verify(database: Path) -> None:
    """Read the whole database. Raises DamagedError when it does not hold together."""
    connection = sqlite3.connect(str(database), timeout=30)
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise explain(str(error), str(database)) from error
    finally:
        connection.close()
    if not answer or answer[0] != "ok":
        raise explain(f"database disk image is malformed: {answer and answer[0]}", str(database))


def exists(database: Path) -> bool:
    """Tell whether there is a copy to go back to."""
    return database.with_suffix(COPY_SUFFIX).exists()


def restore(database: Path) -> Optional[Path]:
    """Put the last copy in the place of a damaged database, which is kept beside it; return where it is kept.

    Returns None when there was none to keep. The copy gets a mark (``PRAGMA user_version`` 1) by which the next run
    knows to list and send everything anew. Raises StorageError when there is no good copy.
    """
    source = database.with_suffix(COPY_SUFFIX)
    aside = database.with_suffix(f".damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.db")
    if not source.exists():
        raise StorageError(
            f"{database} is damaged and there is no copy of it yet",
            hint=f"move it away to begin a new ledger; choose accounting.first_run anew before that. See {source.name}",
        )
    verify(source)
    fresh = database.with_suffix(".restoring.db")
    copy(source, fresh)
    mark_restored(fresh, True)
    kept = database.exists()
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{database}{suffix}")
        if part.exists():
            part.replace(Path(f"{aside}{suffix}"))
    fresh.replace(database)
    sync(database.parent)
    return aside if kept else None


def suspect(database: Path) -> None:
    """Note that a run met damage, so that the next opening checks the whole database."""
    database.with_suffix(_SUSPECT_SUFFIX).touch(mode=0o600)


def is_suspect(database: Path) -> bool:
    """Tell whether a run met damage since the last check."""
    return database.with_suffix(_SUSPECT_SUFFIX).exists()


def clear(database: Path) -> None:
    """Forget the suspicion."""
    database.with_suffix(_SUSPECT_SUFFIX).unlink(missing_ok=True)


def mark_restored(database: Path, restored: bool) -> None:
    """Say in the database itself that it was restored from a copy, or that this was dealt with."""
    connection = sqlite3.connect(str(database), timeout=30)
    try:
        connection.execute(f"PRAGMA user_version = {int(restored)}")
    finally:
        connection.close()


def was_restored(database: Optional[Path]) -> bool:
    """Tell whether the database is a restored copy whose consequences were not drawn yet."""
    if database is None:
        return False
    connection = sqlite3.connect(str(database), timeout=30)
    try:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()
