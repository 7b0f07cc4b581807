"""How guests go from host to host, and what oned writes down about it."""

from __future__ import annotations

from tests.federation.opennebula import acts
from tests.federation.opennebula.boots import boot
from tests.federation.opennebula.machine import ACTIVE, POWEROFF, RUNNING, SUSPENDED, Machine
from tests.federation.opennebula.profiles import CLOSED, OPEN
from tests.federation.opennebula.world import Details, Story, World, fail, unmark


def live_migrate(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Move the running guest to another host."""
    old = machine.last
    world.mark(old, acts.LIVE_MIGRATE, details)
    new = world.open(machine, instant, details["host"])
    if not world.profile.since(5, 12):
        new.action, new.uid, new.gid, new.request_id = old.action, old.uid, old.gid, old.request_id
    machine.become(ACTIVE, 4)
    instant, failed = yield "move"
    old.retime = old.etime = instant
    if failed:
        _stay(world, machine, instant)
        return
    new.rstime = instant
    machine.gone(instant)
    machine.start(instant)
    machine.become(ACTIVE, RUNNING)


def _stay(world: World, machine: Machine, instant: int) -> None:
    """The move failed before the guest left: a third record goes on where the first was."""
    machine.last.etime = instant
    world.open(machine, instant, machine.records[-2].hid).rstime = instant
    machine.become(ACTIVE, RUNNING)


def migrate(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Save or (``poweroff``: True or "hard") shut down the guest, carry it to another host and start it there."""
    if machine.state in (POWEROFF, SUSPENDED):
        yield from _carry(world, machine, instant, details)
        return
    old = machine.last
    how = details.get("poweroff") if world.profile.since(5, 12) else None
    action = acts.MIGRATE
    if how:
        action = acts.POWEROFF_HARD_MIGRATE if how == "hard" else acts.POWEROFF_MIGRATE
    world.mark(old, action, details)
    new = world.open(machine, instant, details["host"])
    new.action, new.uid, new.gid, new.request_id = old.action, old.uid, old.gid, old.request_id
    machine.become(ACTIVE, 7)
    instant, failed = yield "save"
    old.retime = old.etime = instant
    if failed:
        _stay(world, machine, instant)
        return
    machine.gone(instant)
    new.pstime = instant
    yield from arrive(world, machine)


def arrive(world: World, machine: Machine) -> Story:
    """Carry the disks to the host of the open record and start the guest there."""
    machine.become(ACTIVE, 8)
    instant, failed = yield "move"
    if failed:
        fail(world, machine, instant, 38)
        return
    unmark(machine.last)
    machine.last.petime = machine.last.rstime = instant
    machine.start(instant)
    yield from boot(world, machine, 35 if world.profile.since(4, 4) else 2, 37)


def _carry(world: World, machine: Machine, instant: int, details: Details) -> Story:
    if not world.profile.since(4, 14):
        raise ValueError(f"oned {world.profile.text} does not move a stopped guest")
    before, old = machine.state, machine.last
    if world.profile.stopped_move_overwrites:
        old.retime = old.etime = instant
        machine.blurred = True
    new = world.open(machine, instant, details["host"])
    new.pstime = instant
    world.mark(new, acts.MIGRATE, details)
    machine.become(ACTIVE, 43 if before == POWEROFF else 45)
    instant, _ = yield "move"
    new.petime = instant
    if world.profile.stopped == OPEN:
        new.retime = instant
    elif world.profile.stopped == CLOSED:
        new.etime = instant
    machine.become(before)
