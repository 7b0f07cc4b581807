"""The plugin and the ledger together: what is told at one look is remembered at the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
from sqlalchemy import select

from fedcloud_agent.accounting.books import Books
from fedcloud_agent.accounting.collection import Collected, Terms, collect
from fedcloud_agent.accounting.settings import FirstRun
from fedcloud_agent.accounting.tables import vm
from fedcloud_agent.store.engine import Store
from fedcloud_plugins.opennebula.mark import mark_of
from tests.integration.opennebula.conftest import Site

NOW = 1_795_000_000
HOUR, DAY = 3600, 86400


class Agent:
    """Runs as the daemon would start them."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store = site, store

    def run(self, at: int, **changes: Any) -> Collected:
        self.site.oned.set_clock(at)
        self.site.oned.reset_calls()
        terms = Terms(full_listing=DAY, clock_tolerance=10**9, first_run=FirstRun("backfill"))
        found = collect(self.store, "main", self.site.cloud(**changes), terms, lambda: at)
        assert found.failures == []
        return found

    def rows(self) -> Any:
        with self.store.read() as connection:
            rows = connection.execute(select(vm.c.uuid, vm.c.status, vm.c.end, vm.c.running, vm.c.unreadable)).all()
        return {int(row.uuid.rpartition("/compute/")[2].split()[0]): row for row in rows}


@pytest.fixture()
def agent(site: Site, store: Store) -> Iterator[Agent]:
    yield Agent(site, store)


@pytest.fixture()
def store(tmp_path: Path) -> Iterator[Store]:
    from fedcloud_agent.store.opening import open_store

    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("profile", ["3.2", "5.4", "5.8.0", "5.12", "6.10"])
def test_a_life_is_the_same_in_the_ledger_as_it_was(agent: Agent) -> None:
    oned = agent.site.oned
    vms = agent.site.vms(5)
    assert agent.run(NOW).new == 5
    oned.act(vms[0], "suspend", at=NOW + 600)
    oned.act(vms[1], "terminate", at=NOW + 900)
    agent.run(NOW + HOUR)
    oned.act(vms[0], "resume", at=NOW + HOUR + 1200)
    oned.act(vms[2], "terminate", at=NOW + HOUR + 600)
    oned.set_clock(NOW + 2 * HOUR)
    oned.purge_done([vms[2]])
    agent.run(NOW + 2 * HOUR)
    rows = agent.rows()
    assert rows[vms[1]].status == "completed" and rows[vms[1]].end == NOW + 900
    assert rows[vms[2]].unreadable is not None
    began = NOW - DAY
    # a stop that no record tells is dated by the look that saw it, in the releases that do so
    told_late = agent.site.oned.profile == "5.12"
    stop = NOW + HOUR if told_late else NOW + 600
    assert rows[vms[0]].running == f"[[{began},{stop}],[{NOW + HOUR + 1200},null]]"
    assert rows[vms[3]].running == f"[[{began},null]]"

    # two full listings a day apart do not show it, and oned denies it
    agent.run(NOW + 2 * HOUR + DAY)
    assert agent.run(NOW + 3 * HOUR + 2 * DAY).vanished != []
    assert agent.rows()[vms[2]].status == "completed"


def test_a_later_run_goes_by_the_mark_of_the_one_before(agent: Agent) -> None:
    agent.site.vms(30)
    agent.run(NOW)
    mark = mark_of(Books(agent.store, "main").mark("*"))
    assert mark is not None and mark.high == 29
    agent.run(NOW + HOUR)
    states = [call["arguments"][3] for call in agent.site.oned.requests() if "infoextended" in call["method"]]
    assert states == [-1]
