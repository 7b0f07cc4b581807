"""A former tool reported until we came: whatever the ledger sees and when, nothing counts twice and nothing is lost."""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Tuple

import pytest
from sqlalchemy import func, select

from fedcloud_agent.accounting import report
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, AccountingSettings, FirstRun
from fedcloud_agent.accounting.summary import summary
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import DAY, HOUR, month_start, parse_month
from fedcloud_agent.clouds.contract import VirtualMachine
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, world_of
from tests.unit.accounting.world import Agent, Life

JANUARY, FEBRUARY, MARCH = parse_month("2026-01"), parse_month("2026-02"), parse_month("2026-03")
OTHER_KEYS = "Status: stopped\nImageId: the former tool's word\n"


def send_former(repository: Repository, lives: List[Life], now: int, prefix: str = "") -> None:
    """Report all that has begun, as a tool of lifetimes without RecordCreateTime does, under key fields of its own."""
    text = "APEL-cloud-message: v0.4\n"
    for life in lives:
        if life.start > now:
            continue
        end = life.end if life.end is not None and life.end <= now else None
        wall = (now if end is None else end) - life.start
        keys = OTHER_KEYS if end is None else f"Status: completed\nEndTime: {end}\nImageId: the former tool's word\n"
        text += f"VMUUID: {prefix}{life.uuid}\nSiteName: TEST-SITE\nFQAN: vo.example.org\nCpuCount: 1\n{keys}"
        text += f"StartTime: {life.start}\nWallDuration: {wall}\nCpuDuration: {wall}\n%%\n"
    done = repository.load(text)
    assert done.accepted, done.reason


def sums(repository: Repository, now: int) -> Dict[str, Tuple[int, int]]:
    """Let the repository sum up; return wall time and machines of each month."""
    found: Dict[str, Tuple[int, int]] = {}
    for row in repository.summarise(now):
        wall, machines = found.get(f"{row.year}-{row.month:02d}", (0, 0))
        found[f"{row.year}-{row.month:02d}"] = (wall + (row.wall or 0), machines + row.vms)
    return found


def begun(store: Store, lives: List[Life], choice: FirstRun, **settings: object) -> Agent:
    return Agent(store, world_of(*lives), Repository(), first_run=choice, **settings)


def former_days(agent: Agent, lives: List[Life], first: str, last: str, prefix: str = "") -> None:
    for now in range(at(first), at(last) + 1, DAY):
        send_former(agent.way.repository, lives, now, prefix)
        sums(agent.way.repository, now + HOUR)


@pytest.mark.parametrize("remembers", [False, True])
def test_what_ended_in_a_month_of_the_former_tool_stays_its_own(store: Store, remembers: bool) -> None:
    """The cloud goes on showing it, or it stands in a ledger that was filled long before the choice was made."""
    lives = [
        Life("ended", at("2026-01-10"), at("2026-01-20"), [(0, 1)]),
        Life("alive", at("2026-01-10"), None, [(0, 1)]),
    ]
    agent = begun(store, lives, FirstRun(CONTINUE))
    if not remembers:
        agent.settings = dataclasses.replace(agent.settings, first_run=None)
        run(agent, "2026-01-21")
        agent.settings = dataclasses.replace(agent.settings, first_run=FirstRun(CONTINUE))
    agent.world.remembers = remembers
    former_days(agent, lives, "2026-01-11", "2026-02-12")
    before = sums(agent.way.repository, at("2026-02-12 12:00:00"))
    run(agent, "2026-02-13")
    after = sums(agent.way.repository, at("2026-02-13 12:00:00"))
    assert after["2026-01"] == before["2026-01"] == (10 * DAY + 21 * DAY, 2)
    assert after["2026-02"] == (13 * DAY, 1), "the last day of January was the former tool's to report, and is in here"
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(record)).scalar_one() == 1
        assert connection.execute(select(vm.c.due).where(vm.c.uuid == "ended")).scalars().all() == [None]


def test_one_that_could_not_be_read_when_we_began_is_no_new_machine(store: Store) -> None:
    lives = [Life("seen", at("2026-01-10"), None, [(0, 1)]), Life("blind", at("2026-01-10"), None, [(0, 1)])]
    agent = begun(store, lives, FirstRun(CONTINUE))
    former_days(agent, lives, "2026-01-11", "2026-02-12")
    before = sums(agent.way.repository, at("2026-02-12 12:00:00"))
    agent.world.lives = lives[:1]
    run(agent, "2026-02-13")
    agent.world.lives = lives
    run(agent, "2026-02-15")
    after = sums(agent.way.repository, at("2026-02-15 12:00:00"))
    assert after["2026-01"] == before["2026-01"], "under our key fields January would stand twice"
    run(agent, "2026-03-03")
    assert sum(wall for wall, _ in sums(agent.way.repository, at("2026-03-03 12:00:00")).values()) == sum(
        at("2026-03-03") - life.start for life in lives
    )


def test_a_baseline_may_lie_ahead(store: Store) -> None:
    """Who sets the agent up in good time names the first of the next month; the former tool reports until then."""
    lives = [
        Life("old", at("2026-01-10"), None, [(0, 1)]),
        Life("between", at("2026-02-25"), None, [(0, 1)]),
        Life("short", at("2026-02-25"), at("2026-02-27"), [(0, 1)]),
        Life("new", at("2026-03-02"), None, [(0, 1)]),
    ]
    agent = begun(store, lives, FirstRun(BASELINE, at("2026-03-01")))
    run(agent, "2026-02-20")
    run(agent, "2026-02-26")
    assert agent.way.repository.records() == []
    send_former(agent.way.repository, lives, at("2026-03-01") - 1, prefix="another name of ")
    run(agent, "2026-03-01 12:00:00")
    run(agent, "2026-03-05")
    # the second before midnight is the one that the former tool's last look did not see
    assert sums(agent.way.repository, at("2026-03-05 12:00:00")) == {
        "2026-02": ((50 + 4 + 2) * DAY - 2, 3),
        "2026-03": ((4 + 4 + 3) * DAY, 3),
    }


@pytest.mark.parametrize("choice", [FirstRun(CONTINUE), FirstRun(BASELINE, at("2026-02-01"))])
def test_counters_of_the_former_tool_are_not_gone_on_with(store: Store, choice: FirstRun) -> None:
    """It may have counted the other way round: a value that falls is a negative month."""
    lives = [Life("old", at("2026-01-10"), None, [(0, 1)]), Life("new", at("2026-02-14"), None, [(0, 1)])]
    agent = begun(store, lives, choice)

    def tell(life: Life, now: int) -> VirtualMachine:
        return told(life, now)._replace(network_in=5 * 10**9, network_out=7 * 10**9, cpu_seconds=1)

    told = agent.world.tell
    agent.world.tell = tell  # type: ignore[method-assign]
    run(agent, "2026-02-13")
    run(agent, "2026-02-15")
    network = {row.vmuuid: (row.network_in, row.network_out) for row in agent.way.repository.records()}
    assert network == {"old": (None, None), "new": (5, 7)}


def test_sums_are_the_same_when_machines_of_a_former_tool_are_let_go(store: Store) -> None:
    """Eighteen months pass."""
    lives = [
        Life("ended", at("2026-01-10"), at("2026-02-20"), [(0, 2)]),
        Life("later", at("2026-01-20"), at("2026-04-02"), [(0, 1)]),
        Life("alive", at("2026-01-10"), None, [(0, 1)]),
    ]
    agent = begun(store, lives, FirstRun(CONTINUE))
    former_days(agent, lives, "2026-01-11", "2026-02-12")
    for when in ("2026-02-13", "2026-03-03", "2026-04-03", "2026-06-01"):
        run(agent, when)
    kept = AccountingSettings().keep_machines
    assert kept == 548 * DAY

    def told() -> Tuple[List[report.MonthOfVO], List[Tuple[int, str, int, int, int, int]]]:
        with store.read() as connection:
            lines = summary(connection, "central", month_start(MARCH), "vo", last=parse_month("2026-05"))
            shown = report.months(connection, last=parse_month("2026-05"))
        sums_of = [
            (one.month, one.label, one.now.machines, one.now.wall, one.now.cpu, one.now.processors) for one in lines
        ]
        return shown, sums_of

    before = told()
    assert [one.wall for one in before[0]] == [row[3] for row in before[1]]
    assert before[0][0].wall == (19 + 28 + 28) * DAY, "from the month's beginning on, as the portal shows it"
    for when, left in (("2027-08-20", 3), ("2027-09-01", 2), ("2027-11-01", 1)):
        for hour in ("00:00:00", "12:00:00"):
            run(agent, f"{when} {hour}")
        with store.read() as connection:
            assert connection.execute(select(func.count()).select_from(vm)).scalar_one() == left, when
        assert told() == before, when
