"""Months that go out again: the same bytes where nothing changed, in order, once, however often it is interrupted."""

from __future__ import annotations

from typing import Dict, List, Tuple

import pytest
from sqlalchemy import select, update

from fedcloud_agent.accounting import republication
from fedcloud_agent.accounting.correction import corrections
from fedcloud_agent.accounting.republication import Selection
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import DAY, HOUR, parse_month
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, sums, world_of
from tests.unit.accounting.world import Agent, Life, shown, truth

JANUARY, FEBRUARY, MARCH = parse_month("2026-01"), parse_month("2026-02"), parse_month("2026-03")


def population() -> List[Life]:
    return [
        Life("vm-1", at("2026-01-20"), None, [(0, 1)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-10"), [(0, 2)]),
        *(Life(f"vm-{n}", at("2026-01-10"), None, [(0, 1), (at("2026-02-05"), 4)]) for n in range(3, 9)),
    ]


def contents(store: Store) -> Dict[Tuple[int, int], str]:
    with store.read() as connection:
        rows = connection.execute(select(record.c.vm, record.c.month, record.c.content))
        return {(row.vm, row.month): row.content for row in rows}


def is_open(store: Store) -> bool:
    with store.read() as connection:
        return republication.is_open(connection, "central")


def records_of(bodies: List[bytes]) -> List[str]:
    return [
        part.lstrip("\n") for body in bodies for part in body.decode().split("\n", 1)[1].split("%%") if part.strip()
    ]


def test_months_leave_again_byte_by_byte_the_oldest_first(store: Store) -> None:
    lives = population()
    agent = Agent(store, world_of(*lives), Repository())
    for when in ("2026-01-28", "2026-02-20", "2026-03-05"):
        run(agent, when)
    before = contents(store)
    first = list(agent.way.seen.values())
    agent.world.now = at("2026-03-06")
    assert agent.republish(JANUARY, FEBRUARY).changed == 0
    done = agent.send()
    assert done is not None and done.republished == done.records == len(lives) * 2
    assert contents(store) == before
    again = records_of(list(agent.way.seen.values())[len(first) :])
    assert sorted(again) == sorted(content for (_, month), content in before.items() if month <= FEBRUARY)
    months = [next(key[1] for key, content in before.items() if content == one) for one in again]
    assert months == sorted(months)
    assert set(again) <= set(records_of(first)), "nothing changed, so nothing new left"
    with store.read() as connection:
        assert republication.open_ones(connection) == []


def test_a_resized_machine_goes_out_again_under_its_published_size(store: Store) -> None:
    """The month is no longer tidied, so another CpuCount would stand beside the first for ever."""
    resize = at("2026-01-30")
    life = Life("vm-1", at("2026-01-20"), None, [(at("2026-01-20"), 2), (resize, 8)])
    repository = Repository()
    agent = Agent(store, world_of(life), repository)
    run(agent, "2026-01-28")
    repository.summarise(at("2026-01-29"))
    run(agent, "2026-02-05")
    repository.summarise(at("2026-02-05 01:00:00"))
    agent.republish(JANUARY, FEBRUARY)
    agent.send()
    repository.summarise(at("2026-02-05 02:00:00"))
    january = [row for row in repository.summaries() if row.month == 1]
    assert [(row.cpu_count, row.vms, row.cpu) for row in january] == [(2.0, 1, 10 * DAY * 2 + 2 * DAY * 8)]


@pytest.mark.parametrize("answer_lost", [False, True])
def test_an_interrupted_republication_goes_on_where_it_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch, answer_lost: bool
) -> None:
    monkeypatch.setattr(republication, "PORTION", 6)
    lives, repository = population(), Repository()
    agent = Agent(store, world_of(*lives), repository)
    for when in ("2026-01-28", "2026-02-20", "2026-03-05"):
        run(agent, when)
    agent.way.seen.clear()
    agent.republish(JANUARY, MARCH)
    agent.way.answer_lost = answer_lost
    cuts = 0
    while is_open(store):
        assert agent.republish(JANUARY, MARCH).changed == 0, "typed again while it is under way"
        agent.way.breaks = 1
        assert agent.send() is None or not is_open(store)
        cuts += 1
        assert cuts < 40
    assert cuts >= 4
    agent.way.breaks = None
    agent.send()
    left = records_of(list(agent.way.seen.values()))
    assert sorted(left) == sorted(contents(store).values()), "each record once, under one identity"
    assert shown(repository) == truth(lives, at("2026-03-05"))


def test_one_vo_and_one_cloud(store: Store) -> None:
    agent = Agent(store, world_of(*population()), Repository())
    run(agent, "2026-03-05")
    with store.write() as connection:
        connection.execute(update(vm).where(vm.c.uuid == "vm-2").values(vo="other.example.org"))
        chosen = Selection(JANUARY, MARCH, "main", "other.example.org")
        found = republication.extent(connection, "central", chosen)
        assert (found.records, found.machines, found.first, found.last) == (2, 1, JANUARY, FEBRUARY)
        assert republication.extent(connection, "central", chosen._replace(cloud="other")).records == 0
        assert republication.begin(connection, "central", chosen, 0)
        assert not republication.begin(connection, "central", chosen, 0)
        assert republication.proceed(connection, "central") == 1
        assert republication.proceed(connection, "central") == 1
        assert republication.proceed(connection, "central") == 0
        assert not republication.is_open(connection, "central")


def test_what_waits_is_under_way_or_is_set_aside_is_not_let_go_twice(store: Store) -> None:
    agent = Agent(store, world_of(*population()), Repository())
    agent.way.refuses = 0
    run(agent, "2026-03-05")
    agent.way.refuses = None
    with store.write() as connection:
        connection.execute(update(record).where(record.c.vm == 8).values(pending=1))
        found = republication.extent(connection, "central", Selection(JANUARY, MARCH))
    assert (found.rejected, found.under_way) == (4, 3)
    agent.republish(JANUARY, MARCH)
    agent.world.now += 60
    done = agent.send()
    assert done is not None and done.republished == found.records - found.under_way
    with store.read() as connection:
        assert len(connection.execute(select(record.c.vm).where(record.c.rejected.is_not(None))).all()) == 4


def over_reported(store: Store) -> Tuple[Agent, Repository, Life]:
    """A machine that was reported in February, of which the cloud says in March that it ended in January."""
    life = Life("vm-1", at("2026-01-10"), None, [(0, 2)])
    other = Life("vm-2", at("2026-01-10"), None, [(0, 1)])
    repository = Repository()
    agent = Agent(store, world_of(life, other), repository)
    for when in ("2026-01-28", "2026-02-20", "2026-03-01"):
        run(agent, when)
    life.end = at("2026-01-20")
    agent.world.remembers = True
    run(agent, "2026-03-05")
    repository.summarise(at("2026-03-05 01:00:00"))
    return agent, repository, life


def test_values_that_were_too_high_are_lowered_and_later_months_follow(store: Store) -> None:
    agent, repository, life = over_reported(store)
    lives = agent.world.lives
    assert shown(repository) != truth(lives, agent.world.now), "ordinary records never fall"
    found = corrections(store, "central", Selection(JANUARY, JANUARY), "allocated")
    assert (found.machines, found.changed, found.lowered, found.following) == (1, 3, 3, 0)
    assert agent.republish(JANUARY, JANUARY) == found
    agent.send()
    repository.summarise(at("2026-03-05 02:00:00"))
    used = {key: usage for key, usage in shown(repository).items() if key[0] == "vm-1"}
    assert used[("vm-1", JANUARY)] == (10 * DAY, 20 * DAY)
    assert [used[("vm-1", month)] for month in (FEBRUARY, MARCH)] == [(0, 0), (0, 0)]
    assert sums(repository)["2026-01"][0] == 10 * DAY + 22 * DAY
    assert corrections(store, "central", Selection(JANUARY, MARCH), "allocated").changed == 0
    assert life.end is not None


def test_months_before_the_chosen_ones_stay(store: Store) -> None:
    agent, repository, _ = over_reported(store)
    assert agent.republish(FEBRUARY, FEBRUARY).changed == 2
    agent.send()
    assert shown(repository)[("vm-1", JANUARY)] == (22 * DAY, 44 * DAY)


def test_a_corrected_machine_that_lives_is_reported_on_from_there(store: Store) -> None:
    """It turns out to have stood still in January, for a day."""
    life = Life("vm-1", at("2026-01-10"), None, [(0, 1)])
    world, repository = world_of(life), Repository()
    world.active = True
    agent = Agent(store, world, repository)
    for when in ("2026-01-28", "2026-02-20"):
        run(agent, when)
    life.pauses.append((at("2026-01-15"), at("2026-01-16")))
    run(agent, "2026-03-02")
    assert agent.republish(JANUARY, JANUARY).lowered >= 1
    agent.send()
    run(agent, "2026-03-02 06:00:00")
    assert shown(repository) == truth([life], at("2026-03-02 06:00:00"), active=True)
    assert repository.records()[0].suspend == 24 * HOUR
