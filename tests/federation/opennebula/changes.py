"""What happens to machines besides coming, going and moving."""

from __future__ import annotations

from tests.federation.opennebula import acts
from tests.federation.opennebula.boots import boot, prolog
from tests.federation.opennebula.machine import (
    ACTIVE,
    DONE,
    HOLD,
    PENDING,
    POWEROFF,
    RUNNING,
    UNKNOWN,
    Machine,
    copied,
)
from tests.federation.opennebula.moves import arrive
from tests.federation.opennebula.profiles import SILENT
from tests.federation.opennebula.stops import epilog
from tests.federation.opennebula.template import merged, pairs
from tests.federation.opennebula.world import Details, Story, World, halt


def retry(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Try again what failed: recover with retry."""
    place, record = machine.place, machine.last
    if place == "prolog_failure":
        yield from prolog(world, machine, (1, 2))
    elif place == "move_failure":
        yield from arrive(world, machine)
    elif place == "epilog_failure":
        yield from epilog(machine, record, DONE, 11)
    else:
        # The record keeps the start of the first attempt, and forgets that it failed.
        record.retime = 0
        machine.blurred = True
        machine.start(instant)
        yield from boot(world, machine, 2, 36)


def copy(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Close a record and go on in another: attach, detach, snapshot, backup, resize. ``action`` is its number."""
    old, state = machine.last, machine.state
    if state == ACTIVE or world.profile.stopped == SILENT:
        old.retime = instant
    old.etime = instant
    world.mark(old, details["action"], details)
    new = copied(old, stime=instant, rstime=instant)
    machine.records.append(new)
    if state != ACTIVE:
        world.mark(new, acts.POWEROFF, {"by": None})
        halt(world, machine, instant)
    _furnish(machine, details)
    yield from ()


def _furnish(machine: Machine, details: Details) -> None:
    for name in ("disk", "nic"):
        if name in details:
            machine.template = [*machine.template, (name.upper(), pairs(details[name]))]
        gone = details.get(f"{name}_id")
        if gone is not None:
            key = f"{name.upper()}_ID"
            machine.template = [
                row for row in machine.template if row[0] != name.upper() or (key, str(gone)) not in row[1]
            ]


def resize(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Change ``cpu``, ``vcpu`` or ``memory``, of a stopped machine or (5.12 and newer) of a running one."""
    if machine.state == ACTIVE and not world.profile.since(5, 12):
        raise ValueError(f"oned {world.profile.text} does not resize a running machine")
    if world.profile.resize_recorded and machine.state in (ACTIVE, POWEROFF):
        yield from copy(world, machine, instant, {**details, "action": acts.RESIZE})
    machine.resize(instant, details.get("cpu"), details.get("vcpu"), details.get("memory"))


def give(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Change owner (``uid``), group (``gid``), or both: chown, chgrp."""
    machine.give(instant, details.get("uid"), details.get("gid"))
    yield from ()


def change(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Change what is in the details: name, user_template (merged), template, resched, lock, rates, permissions."""
    for name in ("name", "resched", "lock", "permissions", "deploy_id", "monitoring"):
        if name in details:
            setattr(machine, name, details[name])
    if "rates" in details:
        machine.rates = (int(details["rates"][0]), int(details["rates"][1]))
    if "user_template" in details:
        machine.user_template = merged(machine.user_template, pairs(details["user_template"]))
    if "template" in details:
        machine.template = merged(machine.template, pairs(details["template"]))
    yield from ()


def alter(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Write into record ``seq`` what a bug of oned, a stepped clock or an imported guest would leave there."""
    record = machine.records[int(details["seq"])]
    for name, value in details["fields"].items():
        setattr(record, name, type(getattr(record, name))(value))
    machine.blurred = True
    yield from ()


def reboot(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Restart the guest inside of its process: no record, no counter changes."""
    yield from ()


def state(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Show a state that no act leads to: STATE ``state``, LCM_STATE ``lcm``."""
    machine.become(int(details["state"]), int(details.get("lcm", 0)))
    yield from ()


def lose(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """The host does not answer: UNKNOWN, and the guest goes on."""
    machine.become(ACTIVE, UNKNOWN)
    yield from ()


def find(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """The monitor sees the guest again."""
    machine.become(ACTIVE, RUNNING)
    yield from ()


def hold(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Keep a waiting machine from the scheduler."""
    machine.become(HOLD)
    yield from ()


def release(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Give a machine back to the scheduler."""
    machine.become(PENDING)
    yield from ()
