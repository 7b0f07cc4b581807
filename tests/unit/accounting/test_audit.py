"""An audit finds what was done to the ledger behind its back, and nothing where all is well."""

from __future__ import annotations

import sqlite3
from typing import Dict, List

import pytest

from fedcloud_agent.accounting.arrears import arrears
from fedcloud_agent.accounting.audit import Seen, Terms, audit
from fedcloud_agent.accounting.findings import KINDS, NAMED, Finding, Findings
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, FirstRun
from fedcloud_agent.clock import DAY, HOUR, parse_month
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, world_of
from tests.unit.accounting.world import Agent, Life


def population() -> List[Life]:
    return [
        Life("vm-1", at("2026-01-20"), None, [(0, 1)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-10"), [(0, 2)]),
        Life("vm-3", at("2026-01-02"), None, [(0, 1), (at("2026-02-05"), 4)], [(at("2026-02-01"), at("2026-02-03"))]),
        Life("vm-4", at("2026-02-25"), None, [(0, 2)]),
        Life("vm-5", at("2026-01-25"), None, [(0, 2)]),
    ]


def agent_of(store: Store, lives: List[Life], **settings: object) -> Agent:
    agent = Agent(store, world_of(*lives), Repository(), **settings)
    for when in ("2026-01-28", "2026-02-20", "2026-03-05"):
        run(agent, when)
    agent.world.now += HOUR
    return agent


def look(agent: Agent, patience: int = 2 * DAY) -> Findings:
    found = Findings()
    audit(agent.store, "main", agent.world, Terms(["central"], 60), agent.now, found)
    with agent.store.read() as connection:
        arrears(connection, "central", ["main"], patience, agent.now(), found)
    return found


def change(store: Store, statement: str) -> None:
    assert store.path is not None
    with sqlite3.connect(store.path) as direct:
        assert direct.execute(statement).rowcount > 0


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("choice", [None, FirstRun(CONTINUE), FirstRun(BASELINE, at("2026-01-27"))])
def test_all_is_well(store: Store, active: bool, choice: FirstRun) -> None:
    world = world_of(*population())
    world.active, world.remembers = active, True
    agent = Agent(store, world, Repository(), **({"first_run": choice} if choice else {}))
    for when in ("2026-01-28", "2026-02-20", "2026-03-05"):
        run(agent, when)
    agent.world.now += HOUR
    agent.world.lives.append(Life("just started", agent.world.now - 60, None, [(0, 1)]))
    agent.world.lives[0].end = agent.world.now - 120
    found = look(agent)
    assert found.named == [] and found.well
    assert (found.machines, found.records > 7) == (6, True)


def dump(store: Store) -> List[str]:
    assert store.path is not None
    with sqlite3.connect(store.path) as direct:
        return list(direct.iterdump())


def test_nothing_is_written(store: Store) -> None:
    agent = agent_of(store, population())
    agent.world.lives[0].end = at("2026-03-05")
    before = dump(store)
    assert not look(agent).counts
    assert dump(store) == before


JANUARY = parse_month("2026-01")


@pytest.mark.parametrize(
    ("statement", "kind", "text", "seconds"),
    [
        ("DELETE FROM record WHERE vm = 3", "gap", "2026-02", None),
        (f"DELETE FROM record WHERE vm = 1 AND month = {JANUARY + 1}", "gap", "2026-02", None),
        ("UPDATE record SET wall = wall - 777 WHERE vm = 1", "drift", "running time up to 2026-01: published", 777),
        (
            "UPDATE record SET content = replace(content, 'StartTime: 1', 'StartTime: 2') WHERE vm = 1",
            "drift",
            "start: published 2",
            -1000000000,
        ),
        ("UPDATE record SET published = replace(published, 'Jane', 'Joan')", "drift", "owner: published", None),
        ("UPDATE record SET published = replace(published, 'vo.ex', 'no.ex')", "drift", "VO: published no.ex", None),
        ("UPDATE record SET published = replace(published, '\t1\t', '\t9\t')", "drift", "cpu count: published 9", None),
        ("UPDATE record SET published = NULL WHERE vm = 1", "unacknowledged", "2026-01", None),
        ("UPDATE record SET pending = 1 WHERE vm = 1", "open", "2026-01", None),
        ("UPDATE record SET rejected = 'for a reason' WHERE vm = 1", "rejected", "for a reason", None),
        ("UPDATE scope SET as_of = NULL", "unlisted", "scope *", None),
    ],
)
def test_what_was_tampered_with_is_found(store: Store, statement: str, kind: str, text: str, seconds: int) -> None:
    agent = agent_of(store, population())
    change(store, statement)
    found = look(agent)
    assert set(found.counts) == {kind}
    assert any(text in one.text and one.seconds == seconds for one in found.named), found.named


def test_machines_that_one_side_lacks(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives)
    change(store, "UPDATE vm SET uuid = 'another' WHERE uuid = 'vm-1'")
    found = look(agent)
    assert found.counts == {"missing": 1, "vanished": 1}
    assert {one.kind: one.machine for one in found.named} == {"missing": "vm-1", "vanished": "another"}


def test_ends_that_differ(store: Store) -> None:
    lives = population()
    agent = agent_of(store, lives)
    agent.world.remembers = True
    lives[1].end = at("2026-02-08")
    lives[0].end = at("2026-03-04")
    found = look(agent)
    ends = {one.machine: one.seconds for one in found.named if one.text.startswith("end: ")}
    assert ends == {"vm-2": -2 * DAY, "vm-1": -DAY}
    lives[1].end = None
    assert "alive" in next(one.text for one in look(agent).named if one.machine == "vm-2")


def test_clocks_that_are_apart(store: Store) -> None:
    agent = agent_of(store, population())
    agent.world.clock_error = 90
    assert look(agent).counts == {"clock": 1}


def test_a_listing_that_breaks_off_says_nothing_of_the_rest(store: Store) -> None:
    agent = agent_of(store, population())
    agent.world.fails_after = 1
    found = look(agent)
    assert found.counts == {"unread": 1} and "stopped answering" in found.named[0].text


def test_machines_that_were_let_go_are_not_missing(store: Store) -> None:
    agent = agent_of(store, population())
    assert agent.let_go(at("2026-03-01")) == 1
    agent.world.remembers = True
    assert look(agent).well


def test_a_refused_message_is_named(store: Store) -> None:
    agent = Agent(store, world_of(*population()), Repository())
    agent.way.refuses = 0
    run(agent, "2026-03-05")
    found = look(agent)
    assert found.counts == {"rejected": 4, "quarantined": 1}


def test_a_republication_under_way_is_told_after_a_day_and_holds_nothing_up_before(store: Store) -> None:
    agent = agent_of(store, population())
    agent.republish(JANUARY, JANUARY)
    agent.way.breaks = 0
    agent.send()
    assert look(agent).well
    agent.world.now += 2 * DAY
    assert "republishing" in look(agent).counts


def test_findings_keep_the_first_of_each_kind_by_name() -> None:
    found = Findings()
    for number in range(3 * NAMED):
        found.add(Finding("drift", "main", None, str(number), "", -2))
    found.add(Finding("gap", "main", None, "1", ""))
    assert found.counts == {"drift": 3 * NAMED, "gap": 1} and not found.well
    assert (len(found.named), found.seconds) == (NAMED + 1, 6 * NAMED)
    assert set(found.counts) <= set(KINDS)


def test_a_bit_for_each_machine() -> None:
    seen = Seen(20)
    for number in (1, 8, 20):
        seen.note(number)
    seen.note(10**9)
    shown: Dict[int, bool] = {number: number in seen for number in (1, 2, 8, 9, 19, 20, 10**9)}
    assert shown == {1: True, 2: False, 8: True, 9: False, 19: False, 20: True, 10**9: True}
