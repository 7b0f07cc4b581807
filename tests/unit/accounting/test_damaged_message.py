"""A message that was damaged in the queue never leaves; what it stood for does."""

from __future__ import annotations

import sqlite3

from sqlalchemy import select

from fedcloud_agent.outbox.table import message
from fedcloud_agent.store.engine import FILE_NAME, Store
from fedcloud_agent.store.opening import open_store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, world_of
from tests.unit.accounting.world import Agent, Life, shown, truth


def test_a_damaged_body_stays_and_its_records_are_packed_anew(store: Store) -> None:
    lives = [Life(f"vm-{n}", at("2026-01-20"), None, [(0, 1)]) for n in range(6)]
    repository = Repository()
    agent = Agent(store, world_of(*lives), repository)
    agent.way.breaks = 0
    run(agent, "2026-02-20")
    with store.read() as connection:
        ids = connection.execute(select(message.c.id).order_by(message.c.id)).scalars().all()
    assert store.path is not None
    with sqlite3.connect(store.path) as direct:
        # one digit of a WallDuration: a message that the repository would take as it is
        (body,) = direct.execute("SELECT body FROM message WHERE id = ?", (ids[1],)).fetchone()
        direct.execute("UPDATE message SET body = ? WHERE id = ?", (body.replace(b"Wall", b"wALL", 1), ids[1]))
    agent.way.breaks = None
    done = agent.send()
    assert done is not None and done.damaged == [ids[1]]
    assert ids[1] not in agent.way.seen
    assert shown(repository) == truth(lives, at("2026-02-20"))


def test_nothing_else_waits_and_the_records_leave_all_the_same(store: Store) -> None:
    lives = [Life("vm-1", at("2026-01-20"), None, [(0, 1)])]
    repository = Repository()
    agent = Agent(store, world_of(*lives), repository)
    agent.way.breaks = 0
    run(agent, "2026-01-21")
    assert store.path is not None
    with sqlite3.connect(store.path) as direct:
        direct.execute("UPDATE message SET body = substr(body, 1, 100)")
    agent.way.breaks = None
    agent.send()
    assert shown(repository) == truth(lives, at("2026-01-21"))


def test_what_waited_before_there_were_checksums_leaves(store: Store) -> None:
    lives = [Life("vm-1", at("2026-01-20"), None, [(0, 1)])]
    agent = Agent(store, world_of(*lives), Repository())
    agent.way.breaks = 0
    run(agent, "2026-01-21")
    assert store.path is not None
    store.close()
    with sqlite3.connect(store.path) as direct:
        for table in ("republication", "closing", "departed", "ownership", "guard", "deed", "payload"):
            direct.execute(f"DROP TABLE {table}")
        direct.execute("DROP INDEX ix_record_vm")
        direct.execute("ALTER TABLE message DROP COLUMN checksum")
        for column in ("figures", "flying_figures", "published_figures"):
            direct.execute(f"ALTER TABLE record DROP COLUMN {column}")
        direct.execute("ALTER TABLE stream DROP COLUMN resting")
        direct.execute("UPDATE alembic_version SET version_num = '0002'")
        (before,) = direct.execute("SELECT id FROM message").fetchone()
    agent.store = open_store(store.path.parent)
    agent.way.breaks = None
    done = agent.send()
    agent.store.close()
    assert done is not None and not done.damaged and list(agent.way.seen) == [before]
    assert (store.path.parent / FILE_NAME).exists()
