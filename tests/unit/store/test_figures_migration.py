"""A ledger of state 0003 gets the numbers of its records out of their texts."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Optional

from alembic import command
from alembic.config import Config

from fedcloud_agent.store.engine import FILE_NAME, sqlite_engine
from fedcloud_agent.store.opening import HEAD, open_store

CONTENT = (
    "RecordCreateTime: {m}\nVMUUID: vm\nStartTime: 5\nWallDuration: {wall}\nCpuDuration: 9\nMemory: 1024\nDisk: 10\n"
)
FIGURES = "{m}\t5\t{wall}\t9\t\t\t1024\t10"


def test_figures_are_read_out_of_the_texts(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / FILE_NAME, 5)
    config = Config()
    config.set_main_option("script_location", "fedcloud_agent.store:migrations")
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
    machines = 2100  # more than two pages of the migration
    with sqlite3.connect(tmp_path / FILE_NAME) as old:
        for vm in range(machines):
            old.execute(
                'INSERT INTO vm (id, cloud, uuid, name, status, cloud_status, user, "group", vo, cpu_count, memory,'
                " disk, scope, first_seen, seen_full, missed) VALUES (?, 'c', ?, '', '', '', '', '', '', 1, 1, 1, '*',"
                " 1, 1, 0)",
                (vm, f"vm-{vm}"),
            )
            for destination, pending, message, published, rejected in _states(vm):
                old.execute(
                    "INSERT INTO record (destination, vm, month, measured, wall, cpu, content, key_fields, pending,"
                    " message, flying, published, rejected) VALUES (?, ?, 24312, ?, 1, 1, ?, 'k', ?, ?, ?, ?, ?)",
                    (
                        *(destination, vm, 100 + vm, CONTENT.format(m=100 + vm, wall=vm), pending, message),
                        *(message and "k", published, rejected),
                    ),
                )
    store = open_store(tmp_path)
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
        rows = connection.exec_driver_sql(
            "SELECT vm, destination, figures, flying_figures, published_figures FROM record"
        ).all()
    store.close()
    assert len(rows) == machines + 3
    for vm, destination, figures, flying, published in rows:
        whole: Optional[str] = FIGURES.format(m=100 + vm, wall=vm)
        assert figures == whole
        assert (flying, published) == {
            "acknowledged": (None, whole),
            "flying": (whole, None),
            "superseded": (None, None),
            "refused": (None, None),
        }[destination], destination


def _states(vm: int):  # type: ignore[no-untyped-def]
    yield "acknowledged", 0, None, "k", None
    if vm == 0:
        yield "flying", 0, "m1", "k", None
        yield "superseded", 1, "m1", "k", None
        yield "refused", 0, None, "k", "it is bad"
