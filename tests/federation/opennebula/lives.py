"""What oned writes down when something happens to a machine: each act is a story told in phases.

A story yields the name of a phase when it begins to wait for it, and is told when the phase was over and whether it
failed. Between two phases the machine is in the state that oned would show.
"""

from __future__ import annotations

import random
from typing import Any, Dict, Generator, Mapping, Optional, Protocol, Tuple

from tests.federation.opennebula import acts
from tests.federation.opennebula.machine import (
    ACTIVE,
    DONE,
    FAILED,
    HOLD,
    PENDING,
    POWEROFF,
    RUNNING,
    STOPPED,
    SUSPENDED,
    UNDEPLOYED,
    UNKNOWN,
    Machine,
    Record,
    copied,
)
from tests.federation.opennebula.profiles import CLOSED, OPEN, SILENT, Profile
from tests.federation.opennebula.template import merged, pairs

Details = Dict[str, Any]
Story = Generator[str, Tuple[int, bool], None]

_REASONS_3 = {acts.STOP: 2, acts.SUSPEND: 2, acts.SHUTDOWN_HARD: 4}


class HostLike(Protocol):
    """What a record says about a host."""

    id: int
    name: str
    cluster_id: int


class World:
    """What the stories need beside the machine: the version of oned, its hosts, and who asks."""

    def __init__(self, profile: Profile, hosts: Mapping[int, HostLike], gid_of: Any) -> None:
        self.profile = profile
        self.hosts = hosts
        self.gid_of = gid_of
        self.random = random.Random(2633)

    def open(self, machine: Machine, instant: int, host: Optional[int] = None) -> Record:
        """Open a record on a host (None: where the machine was)."""
        if host is None:
            host = machine.last.hid if machine.records else min(self.hosts)
        where = self.hosts[host]
        seq = machine.last.seq + 1 if machine.records else 0
        record = Record(seq, where.id, where.name, where.cluster_id, instant, ds_id=101)
        machine.records.append(record)
        return record

    def mark(self, record: Record, action: int, details: Details, owner: Optional[Machine] = None) -> None:
        """Note in a record what closes it, and who asked: ``owner`` stands for the one that did not."""
        record.action = action
        uid = owner.uid if owner is not None else details.get("by", 0)
        record.uid, record.gid, record.request_id = -1, -1, -1
        if uid is not None:
            record.uid = uid
            record.gid = owner.gid if owner is not None else self.gid_of(uid)
            record.request_id = 16 * self.random.randrange(625)
        record.reason = 2 if self.profile.since(4, 0) else _REASONS_3.get(action, 3)

    def action(self, new: int, old: int) -> int:
        """Return the number of an action that had another name before 5.0."""
        return new if self.profile.since(5, 0) else old


def unmark(record: Record) -> None:
    """Take back what was noted: the action failed."""
    record.action, record.uid, record.gid, record.request_id, record.reason = 0, -1, -1, -1, 0


# Boots


def deploy(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Bring a waiting machine to a host."""
    record = world.open(machine, instant, details.get("host"))
    record.pstime = instant
    yield from _prolog(world, machine, (1, 2))


def _prolog(world: World, machine: Machine, states: Tuple[int, int]) -> Story:
    record = machine.last
    machine.become(ACTIVE, states[0])
    instant, failed = yield "prolog"
    if failed:
        _failed(world, machine, instant, 39)
        return
    record.petime = record.rstime = instant
    machine.start(instant)
    yield from _boot(world, machine, states[1], 36)


def _boot(world: World, machine: Machine, state: int, failure: int) -> Story:
    machine.become(ACTIVE, state)
    instant, failed = yield "boot"
    if failed:
        machine.gone(instant)
        if world.profile.boot_failure_told:
            machine.last.retime = instant
        elif not world.profile.failed_state:
            machine.blurred = True
        _failed(world, machine, instant, failure)
        return
    machine.deploy_id = _deploy_id(world.profile, machine)
    machine.become(ACTIVE, RUNNING)


def _deploy_id(profile: Profile, machine: Machine) -> str:
    if profile.uuid_deploy_id:
        return f"6f6e6500-0000-4000-8000-{machine.id:012d}"
    return f"one-{machine.id}"


def _failed(world: World, machine: Machine, instant: int, lcm: int) -> None:
    if not world.profile.failed_state:
        machine.become(ACTIVE, lcm)
        return
    record = machine.last
    record.etime, record.reason = instant, 1
    if record.rstime and not record.retime:
        record.retime = instant
    machine.etime = instant
    machine.become(FAILED)


def retry(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Try again what failed: recover with retry."""
    place, record = machine.place, machine.last
    if place == "prolog_failure":
        yield from _prolog(world, machine, (1, 2))
    elif place == "move_failure":
        yield from _arrive(world, machine)
    elif place == "epilog_failure":
        yield from _epilog(machine, record, DONE, 11)
    else:
        # The record keeps the start of the first attempt, and forgets that it failed.
        record.retime = 0
        machine.blurred = True
        machine.start(instant)
        yield from _boot(world, machine, 2, 36)


def resume(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """Let a stopped guest run again; a stopped or undeployed one waits for the scheduler when told to."""
    if machine.state in (STOPPED, UNDEPLOYED):
        states = (9, 22) if machine.state == STOPPED else (31, 32)
        machine.become(PENDING)
        if not details.get("wait"):
            record = world.open(machine, instant, details.get("host"))
            record.pstime = instant
            yield from _prolog(world, machine, states)
        return
    before, old = machine.state, machine.last
    if world.profile.stopped == OPEN:
        old.etime = instant
    new = world.open(machine, instant)
    new.rstime = instant
    machine.start(instant)
    machine.become(ACTIVE, 21 if before == SUSPENDED else 20)
    instant, failed = yield "boot"
    if failed:
        machine.gone(instant)
        world.mark(new, acts.RESUME, details, owner=machine)
        _halt(world, machine, instant)
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


# Stops


def _halt(world: World, machine: Machine, instant: int) -> None:
    """The guest is stopped, its machine stays on the host."""
    if world.profile.stopped == SILENT:
        machine.blurred = True
        return
    machine.last.retime = instant
    if world.profile.stopped == CLOSED:
        machine.last.etime = instant


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
    _halt(world, machine, instant)
    machine.become(after)


def poweroff_inside(world: World, machine: Machine, instant: int, details: Details) -> Story:
    """The guest shut itself down, or with ``suspend`` somebody suspended it: the monitor saw it."""
    world.mark(machine.last, acts.MONITOR if world.profile.since(5, 8) else 0, {"by": None})
    machine.gone(instant)
    _halt(world, machine, instant)
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
    yield from _epilog(machine, record, after, states[1])


def _epilog(machine: Machine, record: Record, after: int, lcm: int) -> Story:
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


# Moves


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
    yield from _arrive(world, machine)


def _arrive(world: World, machine: Machine) -> Story:
    machine.become(ACTIVE, 8)
    instant, failed = yield "move"
    if failed:
        _failed(world, machine, instant, 38)
        return
    unmark(machine.last)
    machine.last.petime = machine.last.rstime = instant
    machine.start(instant)
    yield from _boot(world, machine, 35 if world.profile.since(4, 4) else 2, 37)


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


# Changes


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
        _halt(world, machine, instant)
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
    elif machine.state == ACTIVE:
        machine.blurred = True
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
        machine.rates = tuple(details["rates"])  # type: ignore[assignment]
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
