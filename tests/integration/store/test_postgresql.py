"""The ledger in a PostgreSQL: made by whoever comes first, exact at the repository, with several writers at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.accounting import report
from fedcloud_agent.accounting.summary import summary
from fedcloud_agent.clock import DAY, HOUR, month_of
from fedcloud_agent.store.opening import open_store
from tests.federation.central.repository import Repository
from tests.federation.postgresql import PostgreSQL
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Agent, Life, World, shown, truth

OPENING = """
import sys
from pathlib import Path
from fedcloud_agent.store.opening import open_store
store = open_store(Path(sys.argv[1]), sys.argv[2])
for _ in range(40):
    with store.write() as connection:
        from fedcloud_agent.outbox import queue
        print(queue.next_id(connection, "central"))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    with PostgreSQL(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


def test_hosts_that_come_at_once_make_one_database_and_give_no_identity_twice(
    server: PostgreSQL, tmp_path: Path
) -> None:
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING, str(tmp_path / f"host-{number}"), server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    given = []
    for host in hosts:
        out, err = host.communicate(timeout=120)
        assert host.returncode == 0, err
        given.extend(out.split())
    assert len(given) == len(set(given)) == 160


def test_months_are_exact(server: PostgreSQL, tmp_path: Path) -> None:
    lives = [
        Life("vm-1", at("2026-01-20"), None, [(0, 1), (at("2026-02-10"), 4)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-03") + HOUR, [(0, 2)]),
        Life("vm-3", at("2026-02-02"), at("2026-03-04"), [(0, 1)]),
    ]
    store = open_store(tmp_path, server.url)
    world = World(lives, page=2)
    agent = Agent(store, world, Repository())
    for day in range(0, 50, 2):
        world.now = at("2026-01-26") + day * DAY
        agent.way.breaks = 0 if day % 6 == 0 else None
        assert not agent.extract().failures
        agent.send()
    agent.way.breaks = None
    agent.send()
    assert shown(agent.way.repository) == truth(lives, world.now)
    assert agent.let_go(at("2026-02-20")) == 1
    with store.read() as connection:
        assert sum(one.wall for one in report.months(connection)) == sum(
            line.now.wall for line in summary(connection, "central", month_of(world.now), "vo")
        )
    store.close()
