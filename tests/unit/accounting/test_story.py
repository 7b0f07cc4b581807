"""Stories of single machines, told through the whole chain up to the repository's monthly sums."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

import pytest
from sqlalchemy import select

from fedcloud_agent.accounting import report
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, FirstRun
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.clouds.contract import COMPLETED, VirtualMachine, Window
from fedcloud_agent.errors import TryAgainError
from fedcloud_agent.outbox.table import message
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Agent, Life, World, shown, truth


def world_of(*lives: Life) -> World:
    return World(list(lives), page=2)


def site_of(store: Store, *lives: Life, **more: Any) -> Tuple[World, Repository, Agent]:
    world, repository = world_of(*lives), Repository()
    return world, repository, Agent(store, world, repository, **more)


def run(agent: Agent, when: str) -> None:
    """Let one run of the loop happen."""
    agent.world.now = at(when)
    assert not agent.extract().failures
    agent.send()


def sums(repository: Repository) -> Dict[str, Tuple[int, int]]:
    """Return (wall, number of VMs) by month, as the portal shows them."""
    found: Dict[str, Tuple[int, int]] = {}
    for row in repository.summaries():
        month = f"{row.year}-{row.month:02d}"
        wall, vms = found.get(month, (0, 0))
        found[month] = (wall + (row.wall or 0), vms + row.vms)
    return found


def test_a_late_end_does_not_count_a_month_twice(store: Store) -> None:
    """The end is learnt on February 3, when the repository no longer tidies January."""
    life = Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)])
    world, repository, agent = site_of(store, life)
    run(agent, "2026-01-31 10:00:00")
    repository.summarise(at("2026-02-01 06:00:00"))
    run(agent, "2026-02-03 10:00:00")
    repository.summarise(at("2026-02-03 12:00:00"))
    assert sums(repository) == {"2026-01": (at("2026-01-31 12:00:00") - life.start, 1)}


def test_a_record_that_outlived_its_month_behind_a_dead_broker_is_made_again(store: Store) -> None:
    life = Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)])
    world, repository, agent = site_of(store, life)
    run(agent, "2026-01-31 10:00:00")
    repository.summarise(at("2026-02-01 06:00:00"))
    agent.way.breaks = 0
    run(agent, "2026-01-31 13:00:00")  # the end is packed as completed, but does not leave
    with store.read() as connection:
        (waiting,) = connection.execute(select(message.c.id)).scalars()
    agent.way.breaks = None
    run(agent, "2026-02-04 10:00:00")
    repository.summarise(at("2026-02-04 12:00:00"))
    assert sums(repository) == {"2026-01": (at("2026-01-31 12:00:00") - life.start, 1)}
    assert waiting not in agent.way.seen, "the message was taken apart; its identity never left"


def test_a_resize_during_an_outage_keeps_the_month_under_its_published_size(store: Store) -> None:
    resize = at("2026-01-30")
    life = Life("vm-1", at("2026-01-20"), None, [(at("2026-01-20"), 2), (resize, 8)])
    world, repository, agent = site_of(store, life)
    run(agent, "2026-01-28")
    repository.summarise(at("2026-01-29"))
    run(agent, "2026-02-05")
    repository.summarise(at("2026-02-05 01:00:00"))
    january = [row for row in repository.summaries() if row.month == 1]
    assert [(row.cpu_count, row.vms) for row in january] == [(2.0, 1)]
    assert january[0].cpu == 10 * DAY * 2 + 2 * DAY * 8


def test_only_the_newest_unsent_record_of_a_month_leaves(store: Store) -> None:
    world, repository, agent = site_of(store, Life("vm-1", at("2026-01-20"), None, [(0, 1)]))
    agent.way.breaks = 0
    for hour in range(0, 20, 5):
        world.now = at("2026-01-20") + hour * HOUR
        agent.extract()
    agent.way.breaks = None
    agent.send()
    assert len(agent.way.seen) == 1
    assert repository.records()[0].measured == world.now


def test_a_month_is_in_one_unacknowledged_message_at_most_and_newer_records_wait(store: Store) -> None:
    world, repository, agent = site_of(store, Life("vm-1", at("2026-01-20"), None, [(0, 1)]))
    agent.way.breaks, agent.way.answer_lost = 0, True
    run(agent, "2026-01-21")
    run(agent, "2026-01-22")
    with store.read() as connection:
        assert len(connection.execute(select(message.c.id)).all()) == 1
        assert connection.execute(select(record.c.pending)).scalar_one() == 1
    agent.way.breaks = None
    agent.send()
    assert repository.records()[0].measured == at("2026-01-22")
    assert len(agent.way.seen) == 2


def test_vanished_machines_are_completed_after_two_full_listings_a_day_apart(store: Store) -> None:
    life = Life("vm-1", at("2026-01-20"), at("2026-01-22 06:00:00"), [(0, 1)], purged=at("2026-01-22 07:00:00"))
    world, repository, agent = site_of(store, life, Life("vm-2", at("2026-01-20"), None, [(0, 1)]))
    run(agent, "2026-01-22 05:00:00")
    for when in ("2026-01-22 12:00:00", "2026-01-23 11:00:00"):
        run(agent, when)
        with store.read() as connection:
            assert connection.execute(select(vm.c.status).where(vm.c.uuid == "vm-1")).scalar_one() != COMPLETED
    run(agent, "2026-01-23 13:00:00")
    with store.read() as connection:
        row = connection.execute(select(vm).where(vm.c.uuid == "vm-1")).one()
        assert "last known to be alive at 2026-01-22 05:00:00 UTC" in report.notes(connection)[0].note
    assert (row.status, row.end) == (COMPLETED, at("2026-01-22 05:00:00"))
    assert dict(shown(repository))["vm-1", 24312][0] == at("2026-01-22 05:00:00") - life.start


def test_many_machines_that_vanish_at_once_are_held_until_a_person_says_so(store: Store) -> None:
    lives = [Life(f"vm-{n}", at("2026-01-20"), None, [(0, 1)]) for n in range(12)]
    world, repository, agent = site_of(store, *lives)
    run(agent, "2026-01-21")
    for life in lives[:8]:
        life.purged = at("2026-01-21 01:00:00")
    for when in ("2026-01-22", "2026-01-23", "2026-01-24"):
        world.now = at(when)
        found = agent.extract()
    assert found.collected.held == {"g1": 8} and not found.collected.vanished
    agent.accept_vanished = True
    world.now = at("2026-01-25")
    assert len(agent.extract().collected.vanished) == 8


def test_an_empty_answer_ends_nothing(store: Store) -> None:
    lives = [Life(f"vm-{n}", at("2026-01-20"), None, [(0, 1)]) for n in range(20)]
    world, repository, agent = site_of(store, *lives)
    run(agent, "2026-01-21")
    world.lives = []
    for day in range(22, 28):
        world.now = at(f"2026-01-{day}")
        (failure,) = agent.extract().failures
        assert "20 of 20 machines of project g1 vanished at once" in failure.message
        agent.send()
    with store.read() as connection:
        assert set(connection.execute(select(vm.c.status)).scalars()) == {"started"}
    assert {wall for wall, _ in shown(repository).values()} == {DAY}, "nothing is claimed that was not seen either"
    world.lives = lives
    run(agent, "2026-01-28")
    assert shown(repository) == truth(lives, at("2026-01-28"))


def test_clocks_that_are_apart_stop_everything(store: Store) -> None:
    world = world_of(Life("vm-1", at("2026-01-20"), None, [(0, 1)]))
    agent = Agent(store, world, Repository())
    world.now = at("2026-01-21")
    agent.clock_shift = -61
    result = agent.extract()
    assert isinstance(result.failure, TryAgainError) and "61 s apart" in result.failure.message
    assert result.records == 0
    agent.clock_shift = 60
    assert agent.extract().records == 1


def test_without_a_first_choice_nothing_is_made(store: Store) -> None:
    world = world_of(Life("vm-1", at("2026-01-20"), None, [(0, 1)]))
    agent = Agent(store, world, Repository(), first_run=None)
    world.now = at("2026-02-21")
    result = agent.extract()
    assert (result.records, result.first_run_open, result.collected.new) == (0, True, 1)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (FirstRun(CONTINUE), {"2026-03": 71 * DAY, "2026-04": 1 * DAY}),
        (FirstRun(BASELINE, at("2026-02-20")), {"2026-02": 9 * DAY, "2026-03": 31 * DAY, "2026-04": 1 * DAY}),
    ],
)
def test_the_first_choice_holds_for_machines_that_were_there_and_for_no_other(
    store: Store, choice: FirstRun, expected: Dict[str, int]
) -> None:
    old = Life("old", at("2026-01-20"), None, [(0, 1)])
    new = Life("new", at("2026-03-11"), None, [(0, 1)])
    world, repository, agent = site_of(store, old, first_run=choice)
    run(agent, "2026-03-10")
    world.lives.append(new)
    run(agent, "2026-04-02")
    found = {f"{m // 12}-{m % 12 + 1:02d}": w for (uuid, m), (w, _) in shown(repository).items() if uuid == "old"}
    assert found == expected
    assert [w for (uuid, _), (w, _) in sorted(shown(repository).items()) if uuid == "new"] == [21 * DAY, DAY]


def test_the_report_shows_what_the_repository_will(store: Store) -> None:
    lives: List[Life] = [
        Life("vm-1", at("2026-01-20"), None, [(0, 1)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-10"), [(0, 2)]),
    ]
    world, repository, agent = site_of(store, *lives)
    run(agent, "2026-03-02")
    repository.summarise(at("2026-03-02 01:00:00"))
    with store.read() as connection:
        months = report.months(connection)
    assert {one.month: (one.wall, one.machines) for one in months} == sums(repository)
    assert all(one.waiting == 0 and one.rejected == 0 and one.acknowledged == one.machines for one in months)


def test_a_message_that_may_have_arrived_is_sent_again_as_it_is(store: Store) -> None:
    """The end arrives on January 31 but its receipt does not; the broker is back when January is no longer tidied."""
    life = Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)])
    world, repository, agent = site_of(store, life)
    run(agent, "2026-01-31 10:00:00")
    repository.summarise(at("2026-01-31 11:00:00"))
    agent.way.breaks, agent.way.answer_lost = 0, True
    run(agent, "2026-01-31 13:00:00")
    repository.summarise(at("2026-02-01 06:00:00"))
    agent.way.breaks = None
    run(agent, "2026-02-04 10:00:00")
    repository.summarise(at("2026-02-04 12:00:00"))
    assert sums(repository) == {"2026-01": (at("2026-01-31 12:00:00") - life.start, 1)}


def test_what_a_lost_broker_had_acknowledged_goes_out_again_through_the_next(store: Store) -> None:
    """Also the end of a machine in the present month, which nothing else would ever send again."""
    lives = [
        Life("ended", at("2026-01-20"), at("2026-02-03"), [(0, 1)]),
        Life("alive", at("2026-01-20"), None, [(0, 1)]),
    ]
    world, repository, agent = site_of(store, *lives)
    agent.way.swallows = True
    run(agent, "2026-02-03 01:00:00")
    assert repository.records() == []
    agent.way.swallows, agent.way.peer = False, "broker-2:6162"
    run(agent, "2026-02-03 06:00:00")
    assert shown(repository) == truth(lives, at("2026-02-03 06:00:00"))


def test_our_clock_behind_opens_no_closed_month(store: Store) -> None:
    """What waits is sent while our clock is wrong: the ledger knows from the cloud that January is over."""
    life = Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)])
    world, repository, agent = site_of(store, life)
    run(agent, "2026-01-31 10:00:00")
    repository.summarise(at("2026-01-31 11:00:00"))
    world.now = at("2026-02-04 10:00:00")
    assert not agent.extract().failures
    agent.clock_shift = -20 * DAY
    agent.send()
    repository.summarise(at("2026-02-04 12:00:00"))
    assert sums(repository) == {"2026-01": (at("2026-01-31 12:00:00") - life.start, 1)}


class Waiting(World):
    """A cloud in which machines are created some time before they start."""

    created = 0

    def tell(self, life: Life, now: int) -> VirtualMachine:
        return super().tell(life, now) if now >= life.start else super().tell(life, life.start)._replace(start=None)

    def visible(self, now: int, window: Window) -> Iterator[VirtualMachine]:
        return (self.tell(life, now) for life in self.lives if self.created <= now)


def test_a_machine_that_started_and_was_resized_between_two_looks_has_both_sizes(store: Store) -> None:
    life = Life("vm-1", at("2026-01-20"), None, [(at("2026-01-20"), 2), (at("2026-01-22"), 8)])
    world, repository = Waiting([life]), Repository()
    agent = Agent(store, world, repository)
    run(agent, "2026-01-19")
    assert not shown(repository)
    run(agent, "2026-01-25")
    assert shown(repository) == truth([life], at("2026-01-25"))
