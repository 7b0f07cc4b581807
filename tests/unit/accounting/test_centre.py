"""The agent's account of the repository's sums, against the repository itself, fed with the same messages."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import Keys, Sum, Usage, figures_of, grown, read_figures, read_fqan, read_keys
from fedcloud_agent.accounting.holding import MachineMonth, machine_months
from fedcloud_agent.accounting.packing import TIDIED, frozen_before
from fedcloud_agent.accounting.record import parse
from fedcloud_agent.accounting.settings import CONTINUE, FirstRun
from fedcloud_agent.accounting.tables import record as table
from fedcloud_agent.clock import DAY, HOUR, month_name, month_of
from fedcloud_agent.clouds.contract import VirtualMachine
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, unnoted
from fedcloud_agent.store.engine import Store
from fedcloud_agent.store.opening import open_store
from tests.federation.central import loader
from tests.federation.central.repository import Repository
from tests.federation.central.writing import message as written
from tests.federation.central.writing import record
from tests.unit.accounting.exactness import START, lives, polls
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Agent, Life, Way, World

Row = Tuple[object, ...]


class Colourful(World):
    """Machines of several VOs, users and images, with network counters; who owns one may change."""

    def tell(self, life: Life, now: int) -> VirtualMachine:
        machine = super().tell(life, now)
        number = int(life.uuid.partition("-")[2])
        age = now - life.start if life.end is None else min(now, life.end) - life.start
        return machine._replace(
            vo=("vo.example.org", "VO.example.org", "ops")[number % 3],
            global_user=("/DC=org/CN=Jane", None, "none")[number % 3 if age < 30 * 86400 else 0],
            image=(None, "image-1", "image-2")[(number + (age > 40 * 86400)) % 3],
            memory=512 * (number + 1),
            benchmark_type="HEPscore23" if number % 2 else None,
            benchmark=11.25 if number % 2 else None,
            network_in=None if number == 1 else age * 40_000,
            network_out=age * 9_999 if age > 20 * 86400 else None,
        )


class Answered(Way):
    """A way that remembers, in their order, the messages whose answers came back."""

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        for outcome in super().deliver(messages, departing):
            if outcome.acknowledged:
                self.answered.append(self.seen[outcome.id].decode("ascii"))
            yield outcome

    answered: List[str]


def theirs(bodies: List[str], now: int) -> Dict[Row, Row]:
    """Return the sums of a repository that got these messages, and that keeps no sum of former runs."""
    with Repository() as repository:
        for body in bodies:
            assert repository.load(body).accepted
        return {
            (
                *(row.year * 12 + row.month - 1, row.site, row.service, row.user, row.vo.lower(), row.vo_group.lower()),
                *(row.vo_role, row.status, row.image.lower(), row.cpu_count, row.benchmark_type, row.benchmark),
            ): (
                *(row.vms, row.wall, row.cpu, row.network_in or 0, row.network_out or 0, row.memory, row.disk),
                *(row.earliest_start, row.latest_start),
            )
            for row in repository.summarise(now)
        }


def ours(months: Iterable[MachineMonth], which: str) -> Dict[Row, Row]:
    sums: Dict[Row, Sum] = {}
    for one in months:
        held = getattr(one, which)
        if held is not None:
            keys: Keys = held.keys
            key = (
                *(one.month, keys.site, keys.service, keys.user, keys.vo.lower(), keys.group.lower(), keys.role),
                *(keys.status, keys.image.lower(), keys.cpu_count, keys.benchmark_type, keys.benchmark),
            )
            sums.setdefault(key, Sum()).add(held.keys, held.figures, held.usage)
    return {
        key: (
            *(one.machines, one.wall, one.cpu, one.network_in, one.network_out, one.memory, one.disk),
            *(one.earliest_start, one.latest_start),
        )
        for key, one in sums.items()
    }


def machine_months_of(connection: Connection, now: int, tidied: int) -> List[MachineMonth]:
    return list(machine_months(connection, "central", frozen_before(now, tidied)))


@given(lives(pauses=True), polls, st.sampled_from(["bare", "voms"]), st.sampled_from(["0.4", "0.2"]))
def test_every_row_is_the_repositorys(
    population: List[Life], schedule: List[Tuple[int, str, int]], style: str, version: str
) -> None:
    world = Colourful(population, active=True)
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(Path(directory))
        agent = Agent(store, world, Repository(), record_version=version, cpu_count="weighted")
        agent.frame = agent.frame._replace(fqan_style=style)
        way = agent.way = agent.ways["central"] = Answered(agent.way.repository)
        way.answered = []
        world.now = START
        for gap, event, number in [*schedule, (HOUR, "well", 0), (5 * HOUR, "well", 0)]:
            world.now += gap
            way.breaks = number if event in ("no broker", "answer lost", "republished in part") else None
            way.answer_lost = event in ("answer lost", "republished in part") and number % 2 == 1
            way.refuses = number if event == "refused" else None
            agent.extract()
            if event.startswith("republished"):
                agent.republish(month_of(world.now) - 2 - number, month_of(world.now) - number)
            if event == "released":
                agent.release()
            with store.read() as connection:
                foreseen = ours(machine_months_of(connection, world.now, TIDIED), "then")
            done = agent.send() if event != "not sent" else None
            with store.read() as connection:
                months = machine_months_of(connection, world.now, TIDIED)
            assert ours(months, "now") == theirs(way.answered, world.now)
            if event != "refused":
                assert ours(months, "then") == foreseen, "what will be does not depend on how far it got"
            if event != "refused" and done is not None:
                assert ours(months, "now") == foreseen
        with store.read() as connection:
            for content, figures, measured in connection.execute(
                select(table.c.content, table.c.figures, table.c.measured)
            ):
                assert figures == figures_of(parse(content), measured)
        store.close()


def test_a_month_that_may_have_arrived_already_keeps_the_size_that_it_left_with(store: Store) -> None:
    """January left with two processors, unanswered; by the time its edge is made it is no longer tidied."""
    resized = at("2026-01-31 18:00:00")
    world = World([Life("vm-1", at("2026-01-20"), None, [(at("2026-01-20"), 2), (resized, 8)])])
    agent = Agent(store, world, Repository())
    agent.way.breaks, agent.way.answer_lost = 0, True
    world.now = at("2026-01-31 12:00:00")
    agent.extract()
    agent.send()
    world.now = at("2026-02-05")
    agent.extract()
    with store.read() as connection:
        january = machine_months_of(connection, world.now, TIDIED)[0]
    assert january.now is None and january.then is not None and january.then.keys.cpu_count == 2
    agent.way.breaks, agent.way.answer_lost = None, False
    agent.send()
    with store.read() as connection:
        settled = machine_months_of(connection, world.now, TIDIED)[0]
    assert settled.now == january.then
    assert [row.cpu_count for row in agent.way.repository.summarise(world.now) if row.month == 1] == [2]


def test_what_a_former_tool_reported_is_not_counted_again(store: Store) -> None:
    starts = {"vm-1": at("2025-11-20"), "vm-2": at("2026-01-10")}
    world = World([Life(uuid, start, None, [(start, 2)]) for uuid, start in starts.items()])
    repository = Repository()
    for uuid, start in starts.items():
        for month in ("2025-12-01", "2026-01-01", "2026-02-01"):
            if start < at(month):
                wall = {"WallDuration": at(month) - start, "CpuDuration": 2 * (at(month) - start)}
                old = record(VMUUID=uuid, StartTime=start, RecordCreateTime=at(month) - 1, CpuCount=2, **wall)
                assert repository.load(written(old)).accepted
    agent = Agent(store, world, repository, first_run=FirstRun(CONTINUE))
    world.now = at("2026-02-03")
    agent.extract()
    agent.send()
    with store.read() as connection:
        months = machine_months_of(connection, world.now, TIDIED)
    assert [(month_name(one.month), one.assumed) for one in months] == [("2026-02", True), ("2026-02", True)]
    theirs = [repository.usage()[uuid, 2026, 2] for uuid in starts]
    assert (
        [one.now.usage[:2] for one in months if one.now] == [usage[:2] for usage in theirs] == [(2 * DAY, 4 * DAY)] * 2
    )


@pytest.mark.parametrize(
    "fqan",
    ["vo.example.org", "/ops/Role=NULL/Capability=NULL", "/vo/group/sub/Role=admin;/vo", "/vo/group", "/vo", "a/b;c"],
)
def test_an_fqan_is_read_as_the_repository_reads_it(fqan: str) -> None:
    assert read_fqan(fqan) == loader.parse_fqan(fqan)


def test_null_counts_nothing_now_and_everything_later() -> None:
    figures = read_figures("1000\t0\t500\t900\t\t7\t1024\t10")
    assert (figures.measured, figures.wall, figures.network_in, figures.network_out) == (1000, 500, None, 7)
    assert grown(figures, Usage(600, 100, 5, None)) == Usage(-100, 800, None, 7)


def test_names_that_the_repository_takes_for_nothing() -> None:
    keys = read_keys("SITE\t\tnull\tvo\tstarted\tNone\t2.5\t\t")
    assert (keys.service, keys.user, keys.image, keys.cpu_count, keys.benchmark) == ("None", "None", "None", 2.5, 0.0)
