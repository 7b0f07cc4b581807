"""Each act leaves the records that a real oned of that version left: stories recorded from 6.10.5, 5.12.0.4, 5.4.15."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from tests.federation.opennebula.inventory import Host
from tests.federation.opennebula.machine import Machine, Record
from tests.federation.opennebula.machines import Machines
from tests.federation.opennebula.profiles import PROFILES
from tests.federation.opennebula.world import World
from tests.federation.openstack.clock import SimulatedClock

DATA = Path(__file__).parents[2] / "data" / "opennebula"
START = 1795360506
GROUPS = {0: 0, 2: 100, 3: 101, 4: 101}
FIELDS = "SEQ HID STIME ETIME PSTIME PETIME RSTIME RETIME ESTIME EETIME ACTION UID GID".split()


def recorded() -> Iterator[Any]:
    for path in sorted(DATA.glob("stories-*.txt")):
        profile = path.stem.partition("-")[2]
        title, lines = "", []  # type: str, List[str]
        for line in [*path.read_text().splitlines(), "end"]:
            if line.startswith("  "):
                lines.append(line.strip())
                continue
            if title:
                name, _, told = title.partition(": ")
                yield pytest.param(profile, told, name, lines, id=f"{profile}-{name.split()[0]}")
            title, lines = line, []


def act(text: str) -> Tuple[str, int, Dict[str, Any]]:
    words = text.split()
    name, _, at = words[0].partition("@")
    details = dict(word.split("=") for word in words[1:])
    return name, START + int(at), {key: int(value) if value.isdigit() else value for key, value in details.items()}


def shown(instant: int) -> str:
    return f"+{instant - START}" if instant else "0"


def line_of(record: Record) -> str:
    row = []
    for name in FIELDS:
        value = getattr(record, name.lower())
        row.append(f"{name}={shown(value) if name.endswith('TIME') else value}")
    return " ".join(row)


@pytest.mark.parametrize(("profile", "told", "name", "expected"), recorded())
def test_records_are_as_recorded(profile: str, told: str, name: str, expected: List[str]) -> None:
    owner = int(name.rpartition(" of ")[2])
    clock = SimulatedClock()
    clock.set(START + 1000)
    world = World(PROFILES[profile], {key: Host(key, f"node{key}") for key in range(3)}, GROUPS.__getitem__)
    machines = Machines(clock, world)
    machine = machines.add(Machine(0, owner, GROUPS[owner], name, START, [("VCPU", "2")]))
    for text in told.split(" | "):
        action, at, details = act(text)
        machines.act(0, action, at, details)
    state = f"STATE={machine.state} LCM_STATE={machine.lcm} ETIME={shown(machine.etime)}"
    assert [state, *map(line_of, machine.records)] == expected
