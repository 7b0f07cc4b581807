"""What the stories of machines need beside the machine, and what they have in common.

A story yields the name of a phase when it begins to wait for it, and is told when the phase was over and whether it
failed. Between two phases the machine is in the state that oned would show.
"""

from __future__ import annotations

import random
from typing import Any, Dict, Generator, Mapping, Optional, Protocol, Tuple

from tests.federation.opennebula import acts
from tests.federation.opennebula.machine import ACTIVE, FAILED, Machine, Record
from tests.federation.opennebula.profiles import CLOSED, SILENT, Profile

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
        record = Record(seq, where.id, where.name, where.cluster_id, instant)
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


def fail(world: World, machine: Machine, instant: int, lcm: int) -> None:
    """Show that a phase failed; before 4.14 that is the end of the record."""
    if not world.profile.failed_state:
        machine.become(ACTIVE, lcm)
        return
    record = machine.last
    record.etime, record.reason = instant, 1
    if record.rstime and not record.retime:
        record.retime = instant
    machine.etime = instant
    machine.become(FAILED)


def halt(world: World, machine: Machine, instant: int) -> None:
    """The guest is stopped, its machine stays on the host."""
    if world.profile.stopped == SILENT:
        machine.blurred = True
        return
    machine.last.retime = instant
    if world.profile.stopped == CLOSED:
        machine.last.etime = instant
