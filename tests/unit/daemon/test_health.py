from __future__ import annotations

import dataclasses
from typing import Optional

import pytest

from fedcloud_agent.daemon import health
from fedcloud_agent.daemon.state import DaemonState, InProgress, Planned
from fedcloud_agent.outcome import Outcome

NOW = 1_000_000
GOOD = Outcome("accounting", "main", "r", NOW - 600, NOW - 590, 10.0, 0, "7 machines", {"backlog": 3}, succeeded=NOW)
FAILED = dataclasses.replace(GOOD, exit_code=69, error="no answer", failures=1)
AGAIN = dataclasses.replace(GOOD, exit_code=75, error="cut short", failures=1)
DAEMON = DaemonState(
    pid=1, birth=1, started=0, written=0, loops=(Planned("accounting", "main", "every 1h", NOW + 3000),)
)
RUNNING = InProgress("r", "accounting", "main", NOW - 5, NOW + 500)


def next_at(instant: Optional[int]) -> DaemonState:
    return dataclasses.replace(DAEMON, loops=(Planned("accounting", "main", "every 1h", instant),))


@pytest.mark.parametrize(
    ("daemon", "alive", "last", "verdict"),
    [
        (DAEMON, True, GOOD, "good"),
        (DAEMON, True, FAILED, "failed"),
        (DAEMON, True, None, "waiting"),
        (DAEMON, True, AGAIN, "again"),
        (DAEMON, True, dataclasses.replace(AGAIN, failures=3), "failed"),
        (dataclasses.replace(next_at(None), running=(RUNNING,)), True, GOOD, "running"),
        (dataclasses.replace(next_at(None), running=(RUNNING,)), True, FAILED, "failed"),
        (dataclasses.replace(next_at(None), running=(RUNNING,)), False, GOOD, "good"),
        (next_at(NOW - 100), True, GOOD, "good"),
        (next_at(NOW - 121), True, GOOD, "overdue"),
        (next_at(NOW - 121), False, GOOD, "overdue"),
        (None, False, GOOD, "good"),
        (dataclasses.replace(DAEMON, loops=()), True, GOOD, "unscheduled"),
    ],
)
def test_verdicts(daemon: Optional[DaemonState], alive: bool, last: Optional[Outcome], verdict: str) -> None:
    (row,) = health.rows(daemon, alive, [last] if last else [], NOW)
    assert (row.verdict, row.loop, row.cloud) == (verdict, "accounting", "main")
    assert row.ill == (verdict in ("failed", "overdue"))
    assert row.since == (RUNNING.started if daemon and daemon.running and alive else None)
    assert row.backlog == (3 if last else None)


def test_every_loop_that_is_known_or_ever_ran_has_its_row() -> None:
    others = [dataclasses.replace(GOOD, cloud=name) for name in ("z", "b", "main")]
    assert [row.title for row in health.rows(DAEMON, True, others, NOW)] == [
        "accounting of main",
        "accounting of b",
        "accounting of z",
    ]
    assert health.rows(None, False, [], NOW) == []
