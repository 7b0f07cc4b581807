"""Random lives: where oned lost nothing, its records tell the truth by the rule that an accounting follows."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Optional, Tuple

import pytest

from tests.federation.opennebula.history import life_from, merged
from tests.federation.opennebula.inventory import Host
from tests.federation.opennebula.machine import ACTIVE, Machine
from tests.federation.opennebula.machines import Machines
from tests.federation.opennebula.profiles import PROFILES
from tests.federation.opennebula.stories import ACTS
from tests.federation.opennebula.world import World
from tests.federation.openstack.clock import SimulatedClock

START = 1793491200
PHASES = ("prolog", "boot", "save", "shutdown", "move", "epilog")
# What a life is made of; the rest is either a fault of oned or changes nothing.
COMMON = sorted(set(ACTS) - {"alter", "state", "change", "rename", "chown", "clone", "cloned", "clone_failed"})


def random_life(profile: str, seed: int, length: int = 14) -> Tuple[Machines, Machine]:
    """Let things happen to a machine until the present, some of them failing, some under way at the end."""
    dice = random.Random(f"{profile} {seed}")
    clock = SimulatedClock()
    clock.set(START + 10**7)
    hosts = {key: Host(key, f"node{key}") for key in range(3)}
    machines = Machines(clock, World(PROFILES[profile], hosts, lambda uid: 0))
    machine = machines.add(Machine(0, 2, 100, "random", START, [("VCPU", "2")]))
    at = START
    for _ in range(length):
        at = max(at, machine.changed) + dice.randrange(1, 5000)
        possible = [name for name in COMMON if machine.place in ACTS[name].before]
        if not possible:
            break
        # A life that ends at once tells nothing.
        grim = {"terminate", "terminate_hard", "delete", "delete_db"}
        name = dice.choice([entry for entry in possible if entry not in grim or dice.random() < 0.2] or possible)
        details: Dict[str, Any] = {"host": dice.randrange(3)}
        details.update({phase: dice.randrange(100) for phase in PHASES if dice.random() < 0.5})
        if dice.random() < 0.1:
            details["fails"] = dice.choice([True, *PHASES])
        if dice.random() < 0.05:
            details["hangs"] = dice.choice([True, *PHASES])
        if name == "resize":
            details["vcpu"] = dice.randrange(1, 9)
        try:
            machines.act(0, name, at, details)
        except ValueError as error:
            assert "does not" in str(error)
    return machines, machine


def told(machine: Machine, now: int) -> List[Tuple[int, Optional[int]]]:
    """Return the runs that the records tell of: the union of their intervals, open ends closed by what comes next."""
    rows = [record for record in machine.records if record.rstime > 0]
    limit = machine.etime or now
    spans = []
    for number, record in enumerate(rows):
        following = rows[number + 1].stime if number + 1 < len(rows) else 0
        end = record.retime or record.estime or record.etime or following
        if not end and not machine.etime and machine.state == ACTIVE:
            spans.append((record.rstime, now))
        else:
            spans.append((record.rstime, max(record.rstime, min(end or limit, limit))))
    return [(run.start, run.end) for run in merged(sorted(spans))]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_records_tell_the_truth_unless_blurred(profile: str) -> None:
    told_all = 0
    for seed in range(400):
        machines, machine = random_life(profile, seed)
        now = machines.clock.now()
        life = life_from(machines.truth([0])[0])
        if life.blurred:
            continue
        true = [(run.start, run.end or now) for run in life.runs]
        assert told(machine, now) == true, (seed, machine.records, life.runs)
        assert life.seconds(0, now) == sum(end - start for start, end in true)
        told_all += bool(true)
    # 5.12 forgets when a guest was stopped: few of its lives can be told.
    assert told_all > (40 if profile == "5.12" else 150)


def test_a_life_replays() -> None:
    first, second = random_life("6.10", 7), random_life("6.10", 7)
    assert first[1].records == second[1].records and first[1].processes == second[1].processes
