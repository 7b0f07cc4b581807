"""The database: opened in the right state, guarded, copied, and brought back when it is damaged."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select

import fedcloud_agent.accounting.tables
import fedcloud_agent.outbox.table
import fedcloud_agent.users.tables
from fedcloud_agent.accounting.tables import scope
from fedcloud_agent.errors import CannotCreateError, ConfigurationError, StorageError, TryAgainError
from fedcloud_agent.outbox.table import message
from fedcloud_agent.store import copies
from fedcloud_agent.store.engine import FILE_NAME, DamagedError, explain
from fedcloud_agent.store.opening import HEAD, in_use, open_store, shared
from fedcloud_agent.store.schema import metadata


def rows(directory: Path) -> list:  # type: ignore[type-arg]
    store = open_store(directory)
    with store.read() as connection:
        found = connection.execute(select(scope.c.name)).scalars().all()
    store.close()
    return list(found)


def add(directory: Path, name: str) -> None:
    store = open_store(directory)
    with store.write() as connection:
        connection.execute(insert(scope).values(cloud="c", name=name, full_number=0))
    store.close()


def test_migrations_give_the_tables_that_the_rooms_declare(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    config = Config()
    config.set_main_option("script_location", "fedcloud_agent.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer release") as caught:
        open_store(tmp_path)
    assert caught.value.exit_code == 78 and "install that release" in str(caught.value.hint)


def test_an_older_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        for table in ("record", "vm", "scope", "stream", "message", "identity"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    # state 0000 never existed, so Alembic cannot go on from it; the copy is there all the same
    with pytest.raises(Exception, match="0000"):
        open_store(tmp_path)
    assert (tmp_path / f"agent.before-{HEAD}.db").exists()


def test_a_migration_waits_for_runs_and_gives_up_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fedcloud_agent.store.opening as opening

    whole = opening._locked
    monkeypatch.setattr(opening, "_locked", lambda state, kind, patience: whole(state, kind, 0.2))
    tmp_path.joinpath("store.lock").touch()
    with shared(tmp_path), pytest.raises(TryAgainError, match="migrated or repaired"):
        open_store(tmp_path)


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    children = [multiprocessing.get_context("spawn").Process(target=add, args=(tmp_path, f"s{n}")) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert sorted(rows(tmp_path)) == ["s0", "s1", "s2", "s3"]


def test_a_writer_that_waits_too_long_is_told_to_try_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    blocker = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    impatient = open_store(tmp_path, busy_timeout=0)
    with pytest.raises(TryAgainError, match="busy timeout"), impatient.write():
        pass
    blocker.execute("ROLLBACK")
    store.close()


def test_a_committed_row_outlives_a_kill(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    code = (
        "import os, sys, signal\nfrom pathlib import Path\nfrom tests.unit.store.test_store import add\n"
        "add(Path(sys.argv[1]), 'kept')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert rows(tmp_path) == ["kept"]


@pytest.mark.parametrize("damage", ["header", "middle"])
def test_a_damaged_database_is_replaced_by_its_copy_without_hands(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    add(tmp_path, "before")
    path = tmp_path / FILE_NAME
    assert copies.refresh(path, int(time.time()), 86400)
    add(tmp_path, "after")
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:100] = b"x" * 100
    else:
        data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    assert rows(tmp_path) == ["before"]
    assert copies.was_restored(path)
    copies.mark_restored(path, False)
    assert not copies.was_restored(path)
    (aside,) = tmp_path.glob("agent.damaged-*.db")
    told = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert len(told) == 1 and f"{path} was damaged" in told[0] and f"kept as {aside}." in told[0]


def test_damage_that_a_run_meets_is_seen_to_at_the_next_opening(tmp_path: Path) -> None:
    add(tmp_path, "one")
    add(tmp_path, "two")
    path = tmp_path / FILE_NAME
    copies.refresh(path, int(time.time()), 86400)
    store = open_store(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'scope'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedError), in_use(store, tmp_path), store.read() as connection:
        connection.execute(select(scope)).all()
    assert copies.is_suspect(path)
    assert len(rows(tmp_path)) == 2
    assert not copies.is_suspect(path)


def test_a_database_that_is_missing_beside_its_copy_is_put_back(tmp_path: Path) -> None:
    add(tmp_path, "kept")
    copies.refresh(tmp_path / FILE_NAME, int(time.time()), 86400)
    (tmp_path / FILE_NAME).unlink()
    assert rows(tmp_path) == ["kept"]
    assert copies.was_restored(tmp_path / FILE_NAME)
    assert not list(tmp_path.glob("agent.damaged-*"))


def test_without_a_copy_a_damaged_database_is_an_error_in_words(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageError, match="no copy") as caught:
        open_store(tmp_path)
    assert caught.value.exit_code == 74


def test_a_damaged_database_never_takes_the_place_of_its_copy(tmp_path: Path) -> None:
    add(tmp_path, "good")
    path = tmp_path / FILE_NAME
    copies.refresh(path, int(time.time()), 86400)
    path.write_bytes(b"\xff" * 20000)
    with pytest.raises(DamagedError):
        copies.refresh(path, int(time.time()) + 2 * 86400, 86400)
    assert rows(tmp_path) == ["good"]


def test_several_runs_that_begin_at_once_make_one_copy(tmp_path: Path) -> None:
    add(tmp_path, "kept")
    path, barrier = tmp_path / FILE_NAME, threading.Barrier(4)

    def begin(_: int) -> bool:
        barrier.wait(30)
        return copies.refresh(path, int(time.time()), 86400)

    standing = path.with_suffix(copies.COPY_SUFFIX)
    with ThreadPoolExecutor(4) as runs:
        for _ in range(10):
            assert list(runs.map(begin, range(4))).count(True) == 1
            copies.verify(standing)
            os.utime(standing, (0, 0))
    assert not list(tmp_path.glob("*.tmp"))


def test_a_directory_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotCreateError, match="cannot be made"):
        open_store(tmp_path / "file" / "state")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("database is locked", 75),
        ("database or disk is full", 74),
        ("database disk image is malformed", 74),
        ("attempt to write a readonly database", 73),
        ("something else", 74),
    ],
)
def test_what_a_database_says_gets_an_exit_code_and_a_hint(said: str, code: int) -> None:
    error = explain(said, "agent.db")
    assert error.exit_code == code and error.hint


def test_the_tables_are_known() -> None:
    assert {"vm", "record", "scope", "stream"} <= set(metadata.tables) and message.name in metadata.tables
    assert fedcloud_agent.accounting.tables and fedcloud_agent.outbox.table
