"""Machines that ended long ago are let go: nothing personal stays, every sum does, and none is ever counted again."""

from __future__ import annotations

import sqlite3
from typing import List

import pytest
from sqlalchemy import func, select, update

from fedcloud_agent.accounting import report, republication, retention
from fedcloud_agent.accounting.republication import Closed, Selection
from fedcloud_agent.accounting.summary import Line, summary
from fedcloud_agent.accounting.tables import closing, departed, record, vm
from fedcloud_agent.clock import DAY, parse_month
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, world_of
from tests.unit.accounting.world import Agent, Life, shown, truth

JANUARY, FEBRUARY, MARCH = parse_month("2026-01"), parse_month("2026-02"), parse_month("2026-03")


def population() -> List[Life]:
    return [
        Life("vm-1", at("2026-01-20"), None, [(0, 1)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-10"), [(0, 2)]),
        Life("vm-3", at("2026-01-02"), at("2026-01-03"), [(0, 2)]),
        Life("vm-4", at("2026-02-02"), at("2026-03-04"), [(0, 1)]),
    ]


def agent_of(store: Store, lives: List[Life], **settings: object) -> Agent:
    agent = Agent(store, world_of(*lives), Repository(), **settings)
    agent.world.remembers = True
    return agent


def machines(store: Store) -> List[str]:
    with store.read() as connection:
        return list(connection.execute(select(vm.c.uuid).order_by(vm.c.uuid)).scalars())


def months(store: Store) -> List[report.MonthOfVO]:
    with store.read() as connection:
        return report.months(connection)


def lines(store: Store, by: str) -> List[Line]:
    with store.read() as connection:
        return summary(connection, "central", JANUARY, by)


def test_the_sums_stay_and_the_machines_go(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives)
    run(agent, "2026-03-05")
    before = months(store)
    summed = lines(store, "vo")
    assert agent.let_go(at("2026-03-01")) == 2
    assert machines(store) == ["vm-1", "vm-4"]
    assert months(store) == before and lines(store, "vo") == summed
    assert {line.label for line in lines(store, "user")} == {"/DC=org/DC=example/CN=Jane Doe", "(let go)"}
    with store.read() as connection:
        kept = connection.execute(select(closing).order_by(closing.c.month)).all()
        assert [(row.site, row.vo, row.month, row.machines, row.wall) for row in kept] == [
            ("TEST-SITE", "vo.example.org", JANUARY, 2, 8 * DAY),
            ("TEST-SITE", "vo.example.org", FEBRUARY, 1, 9 * DAY),
        ]
    assert agent.let_go(at("2026-03-05")) == 1
    assert months(store) == before, "closings of one month add up"


def test_what_is_shown_again_is_not_counted_again(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives)
    run(agent, "2026-03-05")
    agent.let_go(at("2026-03-01"))
    for when in ("2026-03-06", "2026-03-10"):
        run(agent, when)
    assert machines(store) == ["vm-1", "vm-4"]
    assert shown(agent.way.repository) == truth(lives, at("2026-03-10"))
    (january,) = (one for one in months(store) if one.month == "2026-01")
    assert january.machines == 3


def test_one_that_is_alive_again_is_told_and_not_reported(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives)
    run(agent, "2026-03-05")
    agent.let_go(at("2026-03-01"))
    lives[1].end = None
    agent.world.now = at("2026-03-06")
    (problem,) = agent.extract().problems
    assert "vm-2" in problem.subject and "alive" in problem.reason


def test_the_daily_extraction_lets_go_what_was_kept_long_enough(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives, keep_machines=62 * DAY)
    run(agent, "2026-03-05")
    for when, left in (("2026-03-06 06:00:00", 3), ("2026-03-07 12:00:00", 3), ("2026-04-15", 2), ("2026-05-06", 1)):
        run(agent, when)
        run(agent, when)
        assert len(machines(store)) == left, when


def test_whatever_is_not_settled_keeps_its_machine(store: Store) -> None:
    agent = agent_of(store, population())
    agent.way.breaks = 0
    run(agent, "2026-03-05")
    assert agent.let_go(at("2026-04-01")) == 0, "its records wait"
    agent.way.breaks, agent.way.answer_lost = 0, True
    agent.send()
    assert agent.let_go(at("2026-04-01")) == 0, "its records are under way"
    agent.way.breaks = None
    agent.send()
    agent.republish(JANUARY, JANUARY)
    assert agent.let_go(at("2026-04-01")) == 0, "they were promised to a republication"
    agent.send()
    with store.write() as connection:
        connection.execute(update(record).where(record.c.vm == 2).values(rejected="for some reason"))
        connection.execute(update(record).where(record.c.vm == 3).values(acknowledged=None))
    assert agent.let_go(at("2026-04-01")) == 1
    assert machines(store) == ["vm-1", "vm-2", "vm-3"]


def test_no_machine_goes_before_every_stream_has_begun(store: Store) -> None:
    agent = agent_of(store, population(), first_run=None, keep_machines=0)
    run(agent, "2026-03-05")
    assert len(machines(store)) == 4


def test_months_that_were_let_go_are_named_to_who_would_republish_them(store: Store) -> None:
    agent = agent_of(store, population())
    run(agent, "2026-03-05")
    agent.let_go(at("2026-03-01"))
    with store.read() as connection:
        assert republication.closed(connection, "central", Selection(JANUARY, MARCH)) == [
            Closed("main", "vo.example.org", JANUARY, FEBRUARY)
        ]
        for free in (Selection(MARCH, MARCH), Selection(JANUARY, MARCH, "other"), Selection(JANUARY, MARCH, None, "x")):
            assert republication.closed(connection, "central", free) == []


def test_nothing_personal_is_left_in_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lives = [Life(f"somebody-{n}", at("2026-01-02"), at("2026-01-09"), [(0, 1)]) for n in range(300)]
    agent = agent_of(store, lives)
    agent.limits = agent.limits._replace(records=50)
    run(agent, "2026-01-20")
    monkeypatch.setattr(retention, "BATCH", 50)
    assert store.path is not None
    with sqlite3.connect(store.path) as direct:
        direct.execute("VACUUM")  # messages that have left stay readable in free pages until those are used again
    assert agent.let_go(at("2026-02-01")) == 300
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(departed)).scalar_one() == 300
    store.close()
    with sqlite3.connect(store.path) as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free = (direct.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    for word in (b"somebody-", b"Jane Doe"):
        assert word not in store.path.read_bytes()
    assert free > pages / 3, "the room is there for what comes next"


def test_batches_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lives = [Life(f"vm-{n}", at("2026-01-02"), at("2026-01-09"), [(0, 1)]) for n in range(10)]
    agent = agent_of(store, lives)
    run(agent, "2026-01-20")
    monkeypatch.setattr(retention, "BATCH", 2)
    assert retention.let_go(store, "main", [], at("2026-02-01"), batches=3) == 6
    assert retention.let_go(store, "other", [], at("2026-02-01")) == 0
    assert agent.let_go(at("2026-02-01")) == 4
