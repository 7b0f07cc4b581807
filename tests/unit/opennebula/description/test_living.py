"""What machines do, by state."""

from __future__ import annotations

from typing import Optional

import pytest

from fedcloud_agent.clouds.offer import Machines
from fedcloud_plugins.opennebula.description.living import counted, doing
from tests.unit.opennebula.elements import row


@pytest.mark.parametrize(
    ("state", "lcm", "expected"),
    [
        *((state, 0, "waiting") for state in (0, 1, 2, 10, 11)),
        *((3, lcm, "waiting") for lcm in (0, 1, 2, 15, 36, 39)),
        # running, migrating, saving, unknown, hot-plugging, resuming, and what comes in later releases
        *((3, lcm, "running") for lcm in (3, 4, 5, 16, 17, 9, 66, 99)),
        # disks of a guest that is off
        *((3, lcm, "halted") for lcm in (43, 51, 63, 70)),
        *((3, lcm, "suspended") for lcm in (45, 54, 28)),
        (4, 0, "suspended"),
        (5, 0, "suspended"),
        (8, 0, "halted"),
        (9, 0, "halted"),
        (6, 0, None),
        (7, 0, None),
        (12, 0, "other"),
    ],
)
def test_what_a_machine_does(state: int, lcm: int, expected: Optional[str]) -> None:
    assert doing(row(state, lcm)) == expected


def test_machines_are_counted_by_group_and_in_all() -> None:
    rows = [
        row(3, 3, GID=100),
        row(3, 3, GID=100),
        row(8, 0, GID=100),
        row(1, 0, GID=101),
        row(5, 0, GID=101),
        row(6, 0, GID=101),
        row(12, 0, GID=0),
    ]
    whole, by_group = counted(iter(rows))
    assert whole == Machines(6, 2, 1, 1, 1)
    assert by_group == {
        100: Machines(3, 2, 0, 0, 1),
        101: Machines(2, 0, 1, 1, 0),
        0: Machines(1, 0, 0, 0, 0),
    }
    assert counted([]) == (Machines(0, 0, 0, 0, 0), {})
