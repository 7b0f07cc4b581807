"""How guests are stopped and machines end, and what oned writes down about it."""

from __future__ import annotations

from typing import Tuple

from tests.federation.opennebula import acts
from tests.federation.opennebula.boots import deploy
from tests.federation.opennebula.machine import (
    ACTIVE,
    DONE,
    FAILED,
    PENDING,
    POWEROFF,
    RUNNING,
    STOPPED,
    SUSPENDED,
    UNDEPLOYED,
    Machine,
    Record,
)
from tests.federation.opennebula.world import Details, Story, World, halt, unmark


def suspend(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Save the guest's memory; it stays on its host."""
    yield from _pause(world, machine, details, acts.SUSPEND, 6, "save", SUSPENDED)


def poweroff(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Shut the guest down; it stays on its host."""
    action = acts.POWEROFF_HARD if details.get("hard") else acts.POWEROFF
    yield from _pause(world, machine, details, action, 18, "shutdown", POWEROFF)


def _pause(world: World, machine: Machine, details: Details, action: int, lcm: int, phase: str, after: int) -> Story:
    world.mark(machine.last, action, details)
    machine.become(ACTIVE, lcm)
    instant, failed = yield phase
    if failed:
        unmark(machine.last)
        machine.become(ACTIVE, RUNNING)
        return
    machine.gone(instant)
    halt(world, machine, instant)
    machine.become(after)


def poweroff_inside(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """The guest shut itself down, or with ``suspend`` somebody suspended it: the monitor saw it."""
    world.mark(machine.last, acts.MONITOR if world.profile.since(5, 8) else 0, {"by": None})
    machine.gone(instant)
    halt(world, machine, instant)
    machine.become(SUSPENDED if details.get("suspend") else POWEROFF)
    yield from ()


def stop(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Save the guest's memory and take the machine off its host."""
    yield from _leave(world, machine, instant, details, acts.STOP, "save", (5, 10), STOPPED)


def undeploy(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Shut the guest down and take the machine off its host."""
    action = acts.UNDEPLOY_HARD if details.get("hard") else acts.UNDEPLOY
    yield from _leave(world, machine, instant, details, action, "shutdown", (29, 30), UNDEPLOYED)


def terminate(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """End the machine for good."""
    if machine.place == "done":
        return
    if not machine.records or machine.place in ("pending", "hold", "failed", "cloning", "cloning_failure"):
        _done(machine, instant)
        return
    if machine.place.endswith("_failure"):
        yield from delete(world, machine, instant, details)
        return
    hard = details.get("hard") and machine.state == ACTIVE
    action = world.action(*((acts.TERMINATE_HARD, acts.SHUTDOWN_HARD) if hard else (acts.TERMINATE, acts.SHUTDOWN)))
    yield from _leave(world, machine, instant, details, action, "shutdown", (12, 11), DONE)


def _leave(
    world: World,
    machine: Machine,
    instant: int,
    details: Details,
    action: int,
    phase: str,
    states: Tuple[int, int],
    after: int,
) -> Story:
    record = machine.last
    owner = machine if after == DONE and world.profile.owner_terminates else None
    world.mark(record, action, details, owner)
    if machine.state == ACTIVE:
        machine.become(ACTIVE, states[0])
        instant, failed = yield phase
        if failed:
            unmark(record)
            machine.become(ACTIVE, RUNNING)
            return
        machine.gone(instant)
        record.retime = instant
    record.estime = instant
    yield from epilog(machine, record, after, states[1])


def epilog(machine: Machine, record: Record, after: int, lcm: int) -> Story:
    """Clean up after a guest that is gone, and end in the state ``after``."""
    machine.become(ACTIVE, lcm)
    instant, failed = yield "epilog"
    if failed:
        machine.become(ACTIVE, 40)
        return
    record.eetime = record.etime = instant
    if after == DONE:
        _done(machine, instant)
    else:
        machine.become(after)


def _done(machine: Machine, instant: int) -> None:
    machine.etime = instant
    machine.become(DONE)


def delete(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Do away with the machine whatever it is doing: recover with delete."""
    _cut(world, machine, instant, details, acts.DELETE)
    _done(machine, instant)
    yield from ()


def recreate(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Throw the guest away and begin anew with the same machine: delete-recreate."""
    if machine.place == "boot_failure" and machine.processes[-1][1] != instant:
        machine.blurred = True
        machine.last.retime = 0
    _cut(world, machine, instant, details, acts.DELETE_RECREATE)
    machine.etime = 0
    machine.become(PENDING)
    if not details.get("wait"):
        yield from deploy(world, machine, instant, details)


def _cut(world: World, machine: Machine, instant: int, details: Details, action: int) -> None:
    machine.gone(instant)
    if not machine.records or machine.state == FAILED:
        return
    for record in machine.records[-2:]:
        if record.etime and record is not machine.last:
            continue
        if machine.state == ACTIVE and record.rstime and not record.retime:
            record.retime = instant
        record.etime = instant
    world.mark(machine.last, action, details)


def delete_db(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Forget the machine without touching anything: recover with delete-db."""
    machine.gone(instant)
    if world.profile.delete_db_closes and machine.records:
        record = machine.last
        if record.rstime and not record.retime:
            record.retime = instant
        record.etime = instant
    _done(machine, instant)
    yield from ()
