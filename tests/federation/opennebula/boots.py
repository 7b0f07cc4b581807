"""How guests come to a host and back to life, and what oned writes down about it."""

from __future__ import annotations

from typing import Tuple

from tests.federation.opennebula import acts
from tests.federation.opennebula.machine import ACTIVE, PENDING, RUNNING, STOPPED, SUSPENDED, UNDEPLOYED, Machine
from tests.federation.opennebula.profiles import CLOSED, OPEN, SILENT, Profile
from tests.federation.opennebula.world import Details, Story, World, fail, halt


def deploy(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Bring a waiting machine to a host."""
    record = world.open(machine, instant, details.get("host"))
    record.pstime = instant
    yield from prolog(world, machine, (1, 2))


def prolog(world: World, machine: Machine, states: Tuple[int, int]) -> Story:
    """Prepare the disks, then boot; ``states`` are the LCM states of both."""
    record = machine.last
    machine.become(ACTIVE, states[0])
    instant, failed = yield "prolog"
    if failed:
        fail(world, machine, instant, 39)
        return
    record.petime = record.rstime = instant
    machine.start(instant)
    yield from boot(world, machine, states[1], 36)


def boot(world: World, machine: Machine, state: int, failure: int) -> Story:
    """Boot; ``state`` is the LCM state meanwhile, ``failure`` the one after a failure."""
    machine.become(ACTIVE, state)
    instant, failed = yield "boot"
    if failed:
        machine.gone(instant)
        if world.profile.boot_failure_told:
            machine.last.retime = instant
        elif not world.profile.failed_state:
            machine.blurred = True
        fail(world, machine, instant, failure)
        return
    machine.deploy_id = _deploy_id(world.profile, machine)
    machine.become(ACTIVE, RUNNING)


def _deploy_id(profile: Profile, machine: Machine) -> str:
    if profile.uuid_deploy_id:
        return f"6f6e6500-0000-4000-8000-{machine.id:012d}"
    return f"one-{machine.id}"


def resume(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Let a stopped guest run again; a stopped or undeployed one waits for the scheduler when told to."""
    if machine.state in (STOPPED, UNDEPLOYED):
        states = (31, 32) if machine.state == UNDEPLOYED else (9, 22 if world.profile.since(4, 4) else 2)
        machine.become(PENDING)
        if not details.get("wait"):
            record = world.open(machine, instant, details.get("host"))
            record.pstime = instant
            yield from prolog(world, machine, states)
        return
    before, old = machine.state, machine.last
    if world.profile.stopped == OPEN:
        old.etime = instant
    new = world.open(machine, instant)
    new.rstime = instant
    machine.start(instant)
    booting = 21 if before == SUSPENDED else 20
    machine.become(ACTIVE, booting if world.profile.since(4, 4) else 2)
    instant, failed = yield "boot"
    if failed:
        machine.gone(instant)
        world.mark(new, acts.RESUME, details, owner=machine)
        halt(world, machine, instant)
        if world.profile.stopped == SILENT:
            old.retime = old.etime = new.stime
        machine.become(before)
        return
    if world.profile.stopped == SILENT:
        old.retime = old.etime = instant
    machine.become(ACTIVE, RUNNING)


def power_on_by_hand(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Somebody starts the guest on the hypervisor: the monitor sees it and opens a record."""
    if world.profile.stopped != CLOSED:
        machine.last.etime = instant
    world.open(machine, instant).rstime = instant
    machine.start(instant)
    machine.become(ACTIVE, RUNNING)
    yield from ()
