"""Machines by state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.offer import Machines
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.mapping import STATUS
from fedcloud_plugins.openstack.states import STATES, count, statuses, sum_of

DATA = Path(__file__).parents[2] / "data" / "openstack"


def test_the_recorded_ones() -> None:
    rows: List[Dict[str, Any]] = json.loads((DATA / "rows" / "servers-2.66.json").read_bytes())["servers"]
    live = [row for row in rows if row["status"] != "DELETED"]
    found = statuses(live, "cloud")
    assert len(found) == len(live)
    assert count(found.values()) == Machines(total=13, running=5, waiting=1, suspended=2, halted=5)


def test_every_status_of_a_server_that_is_there_has_its_state() -> None:
    assert STATES.keys() == STATUS.keys() - {"DELETED"}


def test_a_word_that_is_not_known_counts_in_the_total_only() -> None:
    assert count(["ACTIVE", "UNKNOWN"]) == Machines(2, 1, 0, 0, 0)
    assert count([]) == Machines(0, 0, 0, 0, 0)


def test_a_server_that_came_twice_is_one() -> None:
    rows = [{"id": "a", "status": "ACTIVE"}, {"id": "a", "status": "SHUTOFF"}]
    assert statuses(rows, "cloud") == {"a": "SHUTOFF"}


@pytest.mark.parametrize(
    "bad", [None, 7, "x", [], {}, {"id": "a"}, {"id": 7, "status": "ACTIVE"}, {"id": "a", "status": 7}]
)
def test_what_is_no_server(bad: Any) -> None:
    with pytest.raises(RemoteDataError, match="cloud listed something"):
        statuses([bad], "cloud")


def test_sums() -> None:
    one = Machines(3, 2, 0, 1, 0)
    assert sum_of([one, one]) == Machines(6, 4, 0, 2, 0)
    assert sum_of([one, Machines(total=4)]) == Machines(total=7)
    assert sum_of([one, None]) is None
    assert sum_of([]) is None
