"""One stream of records to several destinations: each has its own queue, its own past, its own choice at the begin."""

from __future__ import annotations

from typing import Dict, Tuple

from sqlalchemy import select

from fedcloud_agent.accounting.forgetting import Forgotten, forget, known_destinations
from fedcloud_agent.accounting.settings import BACKFILL, CONTINUE, FirstRun
from fedcloud_agent.accounting.tables import record, stream, vm
from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.table import identity
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Agent, Life, Way, World, shown, truth


def both(store: Store, *lives: Life) -> Tuple[Agent, Dict[str, Repository]]:
    """Return an agent with the destinations central and second, and what is at each."""
    centres = {"central": Repository(), "second": Repository()}
    agent = Agent(store, World(list(lives)), centres["central"])
    agent.ways["second"] = Way(centres["second"])
    agent.configure("central", "second")
    return agent, centres


def run(agent: Agent, when: int, *destinations: str) -> None:
    agent.world.now = when
    assert not agent.extract().failures
    for name in destinations:
        agent.send(name)


def lives_of_two_months() -> Tuple[Life, Life]:
    return (
        Life("alive", at("2026-01-20"), None, [(0, 1)]),
        Life("ended", at("2026-01-25"), at("2026-02-02 05:00:00"), [(0, 2)]),
    )


def test_one_is_down_for_days_and_the_other_does_not_notice(store: Store) -> None:
    lives = lives_of_two_months()
    agent, centres = both(store, *lives)
    agent.ways["second"].breaks = 0
    for hours in range(0, 9 * 24, 4):
        now = at("2026-01-28") + hours * HOUR
        run(agent, now, "second", "central")
        assert shown(centres["central"]) == truth(lives, now)
    assert centres["second"].records() == []
    with store.read() as connection:
        assert {one.destination for one in queue.backlog(connection)} == {"second"}
    agent.ways["second"].breaks = None
    agent.send("second")
    assert shown(centres["second"]) == shown(centres["central"]) == truth(lives, agent.world.now)
    january = {name: [r for r in centre.records() if r.month == 1] for name, centre in centres.items()}
    assert [r.status for r in january["second"]] == [r.status for r in january["central"]]


def test_one_that_comes_later_begins_by_the_choice_that_is_then_in_force(store: Store) -> None:
    lives = lives_of_two_months()
    agent, centres = both(store, *lives)
    agent.configure("central", first_run=FirstRun(CONTINUE))
    run(agent, at("2026-02-10"), "central")
    first = shown(centres["central"])
    assert {month for _, month in first} == {2026 * 12 + 1}, "what was before is the former tool's"
    agent.configure("central", "second", first_run=FirstRun(BACKFILL))
    run(agent, at("2026-02-11"), "central", "second")
    assert shown(centres["second"]) == truth(lives, at("2026-02-11"))
    assert {month for _, month in shown(centres["central"])} == {2026 * 12 + 1}, "the first one keeps to its choice"
    with store.read() as connection:
        policies = connection.execute(select(stream.c.destination, stream.c.policy).order_by(stream.c.destination))
        assert [tuple(row) for row in policies] == [("central", CONTINUE), ("second", BACKFILL)]


def test_one_that_was_left_out_for_a_while_gets_what_it_lacks(store: Store) -> None:
    """A machine that lived and ended meanwhile would otherwise never be due again."""
    brief = Life("brief", at("2026-02-12"), at("2026-02-13"), [(0, 4)])
    lives = (*lives_of_two_months(), brief)
    agent, centres = both(store, *lives)
    run(agent, at("2026-02-01"), "central", "second")
    agent.configure("central")
    for day in range(2, 40, 2):
        run(agent, at("2026-02-01") + day * DAY, "central")
    assert shown(centres["central"]) == truth(lives, agent.world.now)
    assert shown(centres["second"]) == truth(lives, at("2026-02-01"))
    agent.configure("central", "second")
    run(agent, agent.world.now + 4 * HOUR, "central", "second")
    assert shown(centres["second"]) == shown(centres["central"]) == truth(lives, agent.world.now)
    with store.read() as connection:
        assert connection.execute(select(vm.c.uuid).where(vm.c.due == 0)).all() == []


def test_what_waits_for_one_that_was_left_out_is_kept_and_goes_when_it_is_back(store: Store) -> None:
    (life, _) = lives_of_two_months()
    agent, centres = both(store, life)
    agent.ways["second"].breaks, agent.ways["second"].answer_lost = 0, True
    run(agent, at("2026-01-31 10:00:00"), "central", "second")
    agent.configure("central")
    run(agent, at("2026-02-05"), "central")
    with store.read() as connection:
        ((waiting,),) = ([one.messages] for one in queue.backlog(connection))
    assert waiting == 1
    agent.ways["second"].breaks = None
    agent.configure("central", "second")
    run(agent, at("2026-02-06"), "second")
    assert shown(centres["second"]) == truth([life], at("2026-02-06"))


def test_a_destination_that_is_forgotten_leaves_nothing_but_its_last_identity(store: Store) -> None:
    (life, _) = lives_of_two_months()
    agent, centres = both(store, life)
    agent.ways["second"].breaks = 0
    run(agent, at("2026-02-05"), "central", "second")
    agent.configure("central")
    with store.write() as connection:
        (last,) = connection.execute(select(identity.c.last).where(identity.c.destination == "second")).scalars()
        assert known_destinations(connection) == ["central", "second"]
        assert forget(connection, "second") == Forgotten(messages=1, records=2)
        assert known_destinations(connection) == ["central"]
        assert queue.next_id(connection, "second") > last
        assert {*connection.execute(select(record.c.destination)).scalars()} == {"central"}
    run(agent, at("2026-02-06"), "central")
    assert shown(centres["central"]) == truth([life], at("2026-02-06"))
    agent.ways["second"].breaks = None
    agent.configure("central", "second", first_run=FirstRun(CONTINUE))
    run(agent, at("2026-02-07"), "second")
    assert {month for _, month in shown(centres["second"])} == {2026 * 12 + 1}, "it begins anew, by another choice"
