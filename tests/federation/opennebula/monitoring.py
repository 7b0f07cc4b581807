"""What the probes of the hypervisors reported about a machine, and when."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Optional

from tests.federation.opennebula.machine import DONE, RUNNING, Machine
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import first

EVERY = 30  # seconds between two samples
KEPT = 43200  # seconds after which 5.12 and newer forget a sample


class Sample(NamedTuple):
    """One report: percent of a processor, kB of memory, and the counters of the hypervisor's process in bytes."""

    instant: int
    cpu: int
    memory: int
    received: int
    sent: int


def latest(profile: Profile, machine: Machine, now: int) -> Optional[Sample]:
    """Return the last sample that a machine has, None when there is none (yet, or any more)."""
    if machine.monitoring is not None:
        return Sample(machine.last_poll, 0, 0, 0, 0)
    if not machine.processes:
        return None
    if machine.state == DONE:
        instant = max(machine.processes[-1][0] or 0, (machine.processes[-1][1] or 0) - EVERY)
        return None if profile.since(5, 12) and now - instant > KEPT else at(machine, instant)
    # A change is reported at once, the rest in turn.
    instant = max(now - now % EVERY, machine.changed)
    if machine.lcm != RUNNING:
        return Sample(instant, 0, 0, 0, 0)
    return at(machine, instant)


def at(machine: Machine, instant: int) -> Sample:
    """Return what a probe sees at an instant: zeros when no process runs then."""
    received, sent = machine.counters(instant)
    running = any((start or 0) <= instant and (end is None or instant < end) for start, end in machine.processes)
    memory = int(first(machine.template, "MEMORY") or 0) * 1024 if running else 0
    return Sample(instant, 1 if running else 0, memory, received, sent)


def since(profile: Profile, machine: Machine, start: int, now: int) -> Iterator[Sample]:
    """Yield the samples from ``start`` on that are still kept."""
    newest = latest(profile, machine, now)
    if newest is None:
        return
    born = machine.processes[0][0] or 0
    instant = max(start, born, now - KEPT if profile.since(5, 12) else 0)
    instant += -instant % EVERY
    while instant < newest.instant:
        yield at(machine, instant)
        instant += EVERY
    if newest.instant >= start:
        yield newest
