"""When a server ran, out of recorded actions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED, VirtualMachine
from fedcloud_plugins.openstack.intervals import running, untouched

DATA = Path(__file__).parents[2] / "data" / "openstack" / "rows"
START = 1_795_000_000


def machine(status: str, end: Optional[int] = None, changed: int = 0, start: Optional[int] = START) -> VirtualMachine:
    return VirtualMachine(
        "u", "n", status, "", "user", "group", None, "vo", start, end, START + changed, 1, 1, 1, None, None
    )


def actions(*entries: Any) -> List[Dict[str, Any]]:
    return [
        {
            "action": action,
            "start_time": time.strftime("%Y-%m-%dT%H:%M:%S.000000", time.gmtime(START + at)),
            "message": message,
        }
        for at, action, message in (entry if len(entry) == 3 else (*entry, None) for entry in entries)
    ]


CREATE = (0, "create")


@pytest.mark.parametrize(
    ("status", "end", "changed", "entries", "expected"),
    [
        (STARTED, None, 0, [CREATE], [(0, None)]),
        (STARTED, None, 90, [CREATE, (50, "stop"), (90, "start")], [(0, 50), (90, None)]),
        (SUSPENDED, None, 50, [CREATE, (50, "suspend")], [(0, 50)]),
        (SUSPENDED, None, 60, [CREATE, (50, "shelve"), (60, "shelveOffload")], [(0, 50)]),
        (COMPLETED, 99, 99, [CREATE, (99, "delete")], [(0, 99)]),
        (COMPLETED, 99, 99, [CREATE, (50, "pause"), (99, "delete")], [(0, 50)]),
        # soft deleted, restored, then deleted for good
        (COMPLETED, 99, 99, [CREATE, (20, "delete"), (40, "restore"), (99, "delete")], [(0, 20), (40, 99)]),
        # an action that failed changed nothing
        (STARTED, None, 50, [CREATE, (50, "stop", "Error")], [(0, None)]),
        # resizing and rebuilding a stopped server do not start it
        (SUSPENDED, None, 70, [CREATE, (50, "stop"), (60, "resize"), (70, "confirmResize")], [(0, 50)]),
        # a record that was cut: what the server is now has the last word
        (STARTED, None, 80, [(50, "stop")], [(0, 50), (80, None)]),
        (SUSPENDED, None, 80, [], [(0, 80)]),
        (COMPLETED, 99, 99, [], [(0, 99)]),
        # two actions of the same second
        (STARTED, None, 50, [CREATE, (0, "pause"), (50, "unpause")], [(50, None)]),
        (STARTED, None, 50, [CREATE, (50, "stop"), (50, "start")], [(0, 50), (50, None)]),
    ],
)
def test_intervals(status: str, end: Any, changed: int, entries: Any, expected: Any) -> None:
    given = actions(*reversed(entries))
    found = running(machine(status, None if end is None else START + end, changed), given)
    assert [(a - START, b if b is None else b - START) for a, b in found] == expected


def test_what_never_started_never_ran() -> None:
    assert running(machine(STARTED, start=None), actions(CREATE)) == ()


def test_recorded_actions() -> None:
    recorded = json.loads((DATA / "actions-shelved.json").read_bytes())["instanceActions"]
    shelved = machine(SUSPENDED)._replace(start=1795359254, changed=1795359280)
    assert running(shelved, recorded) == ((1795359254, 1795359271),)


@pytest.mark.parametrize(
    ("launched", "changed", "expected"),
    [(12, 12, True), (12, 14, True), (12, 600, False), (5000, 5000, False), (None, 3, False)],
)
def test_what_was_never_touched_needs_no_call(launched: Any, changed: int, expected: bool) -> None:
    assert untouched(START, None if launched is None else START + launched, START + changed) is expected


def test_an_action_that_makes_no_sense_is_an_error() -> None:
    for broken in ([7], [{}], [{"start_time": "x", "action": "stop"}]):
        with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
            running(machine(STARTED), broken)
