"""A virtual machine as oned keeps it, and beside it what oned does not know: when its guest really ran."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Generator, List, Optional, Tuple

from tests.federation.opennebula.history import merged
from tests.federation.opennebula.template import Pairs, first, replaced

PENDING, HOLD, ACTIVE, STOPPED, SUSPENDED, DONE, FAILED, POWEROFF, UNDEPLOYED = 1, 2, 3, 4, 5, 6, 7, 8, 9
RUNNING, UNKNOWN = 3, 16

# The states that acts start from, by (STATE, LCM_STATE); what is missing here is under way.
PLACES: Dict[Tuple[int, int], str] = {
    (PENDING, 0): "pending",
    (HOLD, 0): "hold",
    (ACTIVE, RUNNING): "running",
    (ACTIVE, UNKNOWN): "unknown",
    (ACTIVE, 36): "boot_failure",
    (ACTIVE, 37): "boot_failure",
    (ACTIVE, 38): "move_failure",
    (ACTIVE, 39): "prolog_failure",
    (ACTIVE, 40): "epilog_failure",
    (STOPPED, 0): "stopped",
    (SUSPENDED, 0): "suspended",
    (DONE, 0): "done",
    (FAILED, 0): "failed",
    (POWEROFF, 0): "poweroff",
    (UNDEPLOYED, 0): "undeployed",
    (10, 0): "cloning",
    (11, 0): "cloning_failure",
}


@dataclass
class Record:
    """One HISTORY element: instants in seconds, 0 is "not set"."""

    seq: int
    hid: int
    hostname: str
    cid: int
    stime: int
    etime: int = 0
    pstime: int = 0
    petime: int = 0
    rstime: int = 0
    retime: int = 0
    estime: int = 0
    eetime: int = 0
    action: int = 0
    uid: int = -1
    gid: int = -1
    request_id: int = -1
    reason: int = 0
    ds_id: int = 0
    vm_mad: str = "kvm"
    tm_mad: str = "ssh"


@dataclass
class Machine:
    """One VM. ``processes`` are the times of its hypervisor processes: [start, end or None].

    ``monitoring`` is what a recording says of it (None: the sample follows from the processes). ``is_card``: only the
    head is filled in, the fleet writes the rest.
    """

    id: int
    uid: int
    gid: int
    name: str
    stime: int
    template: Pairs
    user_template: Pairs = field(default_factory=list)
    state: int = PENDING
    lcm: int = 0
    previous: Tuple[int, int] = (PENDING, 0)
    etime: int = 0
    deploy_id: str = ""
    permissions: str = "600"
    resched: int = 0
    lock: Optional[str] = None
    records: List[Record] = field(default_factory=list)
    last_poll: int = 0
    rates: Tuple[int, int] = (0, 0)
    monitoring: Optional[Pairs] = None
    extra: str = ""
    changed: int = 0
    busy: Optional[Generator[str, Tuple[int, bool], None]] = None
    plan: Dict[str, Any] = field(default_factory=dict)
    blurred: bool = False
    is_card: bool = False
    processes: List[List[Optional[int]]] = field(default_factory=list)
    cpus: List[Tuple[int, int]] = field(default_factory=list)
    owners: List[Tuple[int, int]] = field(default_factory=list)
    groups: List[Tuple[int, int]] = field(default_factory=list)
    rendered: Dict[Any, bytes] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Return the name of the state that acts start from; ``busy`` on the way between two."""
        return PLACES.get((self.state, self.lcm), "busy")

    @property
    def last(self) -> Record:
        """Return the record that is open, or was the last to be."""
        return self.records[-1]

    @property
    def vcpu(self) -> int:
        """Return the virtual processors: one when the template has none."""
        return int(first(self.template, "VCPU") or 1)

    def become(self, state: int, lcm: int = 0) -> None:
        """Change the state."""
        self.state, self.lcm = state, lcm
        self.previous = (state, lcm)

    def start(self, instant: int) -> None:
        """The guest's process starts on a hypervisor, its counters at zero."""
        self.processes.append([instant, None])

    def gone(self, instant: int) -> None:
        """The guest's process ended."""
        if self.processes and self.processes[-1][1] is None:
            self.processes[-1][1] = instant

    def resize(self, instant: int, cpu: Optional[str], vcpu: Optional[int], memory: Optional[int]) -> None:
        """Change the size."""
        for name, value in (("CPU", cpu), ("VCPU", vcpu), ("MEMORY", memory)):
            if value is not None:
                self.template = replaced(self.template, name, str(value))
        self.cpus.append((instant, self.vcpu))

    def give(self, instant: int, uid: Optional[int], gid: Optional[int]) -> None:
        """Change owner or group."""
        if uid is not None:
            self.uid = uid
            self.owners.append((instant, uid))
        if gid is not None:
            self.gid = gid
            self.groups.append((instant, gid))

    def counters(self, instant: int) -> Tuple[int, int]:
        """Return the bytes received and sent that the hypervisor counted for the process of that instant."""
        for start, end in reversed(self.processes):
            assert start is not None
            if start <= instant and (end is None or instant < end):
                return self.rates[0] * (instant - start), self.rates[1] * (instant - start)
        return 0, 0

    def truth(self, now: int, purged: bool) -> Dict[str, Any]:
        """Return the life of the machine as a document for ``life_from``."""
        runs = merged([(start or 0, end) for start, end in self.processes])
        seconds = sum(run.within(0, now) for run in runs)
        return {
            "id": self.id,
            "created": self.stime,
            "ended": self.etime if self.state == DONE else None,
            "purged": purged,
            "blurred": self.blurred,
            "runs": runs,
            "cpus": _steps(self.cpus),
            "owners": _steps(self.owners),
            "groups": _steps(self.groups),
            "received": seconds * self.rates[0],
            "sent": seconds * self.rates[1],
        }


def _steps(rows: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    result: List[Tuple[int, int]] = []
    for row in rows:
        if not result or result[-1][1] != row[1]:
            result.append(row)
    return result


def copied(record: Record, **changes: Any) -> Record:
    """Return a record for what comes after another one on the same host."""
    fresh = Record(record.seq + 1, record.hid, record.hostname, record.cid, 0)
    return replace(fresh, ds_id=record.ds_id, vm_mad=record.vm_mad, tm_mad=record.tm_mad, **changes)
