"""Random lives of machines on a simulated oned: each act is one that oned takes in the state that it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from hypothesis import strategies as st

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.opennebula.inventory import Host
from tests.federation.opennebula.machine import Machine
from tests.federation.opennebula.machines import Machines
from tests.federation.opennebula.profiles import PROFILES
from tests.federation.opennebula.stories import ACTS
from tests.federation.opennebula.world import World
from tests.federation.openstack.clock import SimulatedClock

START = 1768910400
"""2026-01-20 12:00: the agent's first look."""

EARLIEST = START - 40 * DAY
OWNERS = (("jane", "vo.example.org"), ("joe", "vo.example.org"), ("joe", "ops"))
_GRIM = frozenset({"terminate", "terminate_hard", "delete", "delete_db"})
_LEFT_OUT = frozenset({"alter", "state", "change", "rename", "clone", "cloned", "clone_failed"})
"""Faults of oned itself, and what changes nothing of an accounting."""

_PHASES: Tuple[Dict[str, int], ...] = (
    {},
    {},
    {"prolog": 700, "boot": 40},
    {"save": 300, "boot": 15},
    {"shutdown": 90, "epilog": 45},
    {"move": 5400, "save": 20, "prolog": 30},
    {"prolog": 3, "boot": 5, "save": 7, "shutdown": 11, "move": 13, "epilog": 17},
    {"epilog": DAY, "boot": HOUR},
)
_TROUBLE: Tuple[Dict[str, Any], ...] = (
    *[{}] * 12,
    {"fails": True},
    {"fails": "boot", "boot": 50},
    {"fails": "move", "move": 900},
    {"fails": "epilog", "epilog": 60},
    {"hangs": True},
    {"wait": True},
)

Step = Tuple[int, int, int, Dict[str, int], Dict[str, Any]]
Plan = Tuple[int, int, List[Step]]

_steps = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 6 * HOUR), st.integers(HOUR, 25 * DAY)),  # how long nothing happens
        st.integers(0, 99),  # which of the possible acts
        st.integers(0, 7),  # which host, size, owner
        st.sampled_from(_PHASES),
        st.sampled_from(_TROUBLE),
    ),
    min_size=1,
    max_size=12,
)
plans = st.lists(st.tuples(st.integers(0, 80 * DAY), st.integers(1, 4), _steps), min_size=1, max_size=4)
"""For each machine when it is created, with how many processors, and what happens to it."""


@dataclass
class Told:
    """One machine, as the simulator is to be told of it. ``changes``: when its records changed."""

    entry: Dict[str, Any]
    acts: List[Dict[str, Any]] = field(default_factory=list)
    changes: List[int] = field(default_factory=list)
    resizes: List[int] = field(default_factory=list)
    """When it was resized, to the size that it had, too."""
    undated: bool = False
    """It was resized where no release writes a record of it."""
    troubled: bool = False
    """Something failed or hangs."""


def told(profile: str, number: int, plan: Plan) -> Told:
    """Return a machine with its acts, each of which is possible when it comes."""
    offset, vcpu, steps = plan
    created = EARLIEST + offset
    clock = SimulatedClock()
    clock.set(created + 10000 * DAY)
    hosts = {key: Host(key, f"node{key}") for key in range(2)}
    machines = Machines(clock, World(PROFILES[profile], hosts, lambda uid: 0))
    machine = machines.add(Machine(number, 2, 100, "life", created, [("VCPU", str(vcpu))]))
    result = Told({"user": "jane", "id": number, "vcpu": vcpu, "created": created, "deploy": False})
    at = created
    for gap, choice, which, phases, trouble in steps:
        at = max(at, machine.changed) + gap
        name = _choice(profile, machine, choice)
        if name is None:
            break
        details: Dict[str, Any] = {"host": which % 2, **phases, **trouble}
        if name == "resize":
            details["vcpu"] = which + 1
        if name == "migrate" and which > 4:
            details["poweroff"] = True
        result.undated = result.undated or (name == "resize" and machine.place == "undeployed")
        act = {"vm": number, "action": name, "at": at, **details}
        if name == "chown":
            user, group = OWNERS[which % len(OWNERS)]
            act = {"vm": number, "action": name, "at": at, "user": user, "group": group}
            details = {"uid": 2, "gid": 100}
        try:
            machines.act(number, name, at, details)
        except ValueError as error:
            assert "does not" in str(error)
            continue
        result.troubled = result.troubled or bool(act.keys() & {"fails", "hangs"})
        result.acts.append(act)
        if name == "resize":
            result.resizes.append(at)
        result.changes += [at, machine.changed]
    return result


def _choice(profile: str, machine: Machine, choice: int) -> Optional[str]:
    known = (name for name, act in ACTS.items() if machine.place in act.before and PROFILES[profile].since(*act.since))
    possible = sorted(set(known) - _LEFT_OUT - _GRIM)
    if machine.place in ("pending", "hold") and choice < 80:
        possible = [name for name in possible if name in ("deploy", "release")] or possible
    if machine.place == "done":
        return None
    # a life that ends at once tells nothing
    if choice >= 88 or not possible:
        ends = sorted(name for name in _GRIM if machine.place in ACTS[name].before)
        ends = [name for name in ends if PROFILES[profile].since(*ACTS[name].since)]
        return ends[choice % len(ends)] if ends else None
    return possible[choice % len(possible)]
