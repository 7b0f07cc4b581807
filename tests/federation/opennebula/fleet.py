"""A hundred thousand machines with twenty records each that nobody has to keep: all follows from the id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from tests.federation.opennebula import acts
from tests.federation.opennebula.furniture import address_of, furnish
from tests.federation.opennebula.machine import ACTIVE, DONE, RUNNING, Machine, Record
from tests.federation.opennebula.profiles import CLOSED, SILENT, Profile
from tests.federation.opennebula.template import Pairs, replaced
from tests.federation.opennebula.world import HostLike

_PAUSE = 600  # seconds that each fifth record ends before the next begins: a suspended guest
_SEGMENT = 3600  # seconds of the shortest record
_STEP = 60  # seconds by which records of other machines are longer
_STEPS = 50


@dataclass
class Fleet:
    """Machines ``first_id`` to ``first_id + count - 1``, created ``spacing`` seconds apart from ``start`` on.

    Every ``live_every``-th still runs, the others are DONE. ``owners`` are pairs of user and group, taken in turn.
    """

    profile: Profile
    hosts: Mapping[int, HostLike]
    first_id: int
    count: int
    records: int
    start: int
    spacing: int
    live_every: int
    owners: Sequence[Tuple[int, int]]
    variants: int = 4

    def __post_init__(self) -> None:
        self._hosts = [self.hosts[key] for key in sorted(self.hosts)]
        disks = [{"IMAGE_ID": 0, "IMAGE": "alma9", "SIZE": 10240}]
        self._templates: List[Pairs] = [
            furnish(self.profile, "0", {"CPU": f"0.{part + 1}", "VCPU": str(part + 1), "MEMORY": "2048"}, disks, [])
            for part in range(self.variants)
        ]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and self.first_id <= key < self.first_id + self.count

    @property
    def latest_end(self) -> int:
        """Return an instant that lies behind everything that happened to the machines."""
        longest = _SEGMENT + _STEP * _STEPS
        return self.start + self.count * self.spacing + self.records * longest + 60

    def ids(self, low: Optional[int], high: Optional[int]) -> range:
        """Return the ids in a window."""
        start = self.first_id if low is None else max(low, self.first_id)
        end = self.first_id + self.count
        return range(start, end if high is None else min(end, high + 1))

    def live_ids(self, low: Optional[int], high: Optional[int]) -> Iterator[int]:
        """Yield the ids in a window of machines that still run."""
        window = self.ids(low, high)
        ahead = -(window.start - self.first_id) % self.live_every
        return iter(range(window.start + ahead, window.stop, self.live_every))

    def is_live(self, key: int) -> bool:
        """Tell whether a machine still runs."""
        return (key - self.first_id) % self.live_every == 0

    def card(self, key: int) -> Machine:
        """Return the head of a machine: owner and state, no template, no records."""
        place = key - self.first_id
        uid, gid = self.owners[place % len(self.owners)]
        created = self.start + place * self.spacing
        live = self.is_live(key)
        return Machine(
            key,
            uid,
            gid,
            f"fleet-{key}",
            created,
            [],
            state=ACTIVE if live else DONE,
            lcm=RUNNING if live else 0,
            is_card=True,
        )

    def machine(self, key: int) -> Machine:
        """Return a machine with all that ever happened to it."""
        place = key - self.first_id
        machine = self.card(key)
        machine.is_card = False
        machine.template = self.template_of(key, place, self.address(key))
        machine.become(ACTIVE, RUNNING)
        machine.deploy_id = f"one-{key}"
        machine.rates = (1000, 500)
        machine.cpus = [(machine.stime, machine.vcpu)]
        machine.owners, machine.groups = [(machine.stime, machine.uid)], [(machine.stime, machine.gid)]
        self._live_through(machine, place)
        return machine

    def template_of(self, key: int, place: int, address: Mapping[str, str]) -> Pairs:
        """Return the template of a machine."""
        template = replaced(self._templates[place % self.variants], "VMID", str(key))
        return [*template, ("NIC", list(address.items()))]

    def address(self, key: int) -> Mapping[str, str]:
        """Return the addresses of a machine's one network card."""
        return address_of(key)[0]

    def length(self, place: int) -> int:
        """Return the seconds from the start of one record to the start of the next."""
        return _SEGMENT + _STEP * (place % _STEPS)

    def first_begin(self, place: int) -> int:
        """Return when the first record begins."""
        return self.start + place * self.spacing + 5 + place % 7

    def last_begin(self, place: int) -> int:
        """Return when the last record begins."""
        return self.first_begin(place) + (self.records - 1) * self.length(place)

    def host_of(self, place: int, seq: int) -> HostLike:
        """Return where a machine was during a record."""
        return self._hosts[(place + seq // 5) % len(self._hosts)]

    def _live_through(self, machine: Machine, place: int) -> None:
        length = self.length(place)
        begin = self.first_begin(place)
        process = begin
        for seq in range(self.records):
            host = self.host_of(place, seq)
            record = Record(seq, host.id, host.name, host.cluster_id, begin, rstime=begin)
            if seq == 0:
                record.pstime = record.petime = begin
            machine.records.append(record)
            if seq == self.records - 1 and self.is_live(machine.id):
                machine.processes.append([process, None])
                machine.changed = begin
                return
            begin += length
            record.retime = record.etime = begin
            record.uid = record.gid = 0
            record.action = acts.DISK_ATTACH
            if seq == self.records - 1:
                machine.processes.append([process, begin])
                self._end(machine, record, begin)
            elif seq % 5 == 4:
                # Suspended at the end of this record, resumed on the next host's record.
                record.action = acts.SUSPEND
                gone = begin - _PAUSE
                machine.processes.append([process, gone])
                process = begin
                if self.profile.stopped == SILENT:
                    machine.blurred = True
                else:
                    record.retime = gone
                    record.etime = gone if self.profile.stopped == CLOSED else begin

    def _end(self, machine: Machine, record: Record, instant: int) -> None:
        record.action = acts.TERMINATE if self.profile.since(5, 0) else acts.SHUTDOWN
        record.estime = record.eetime = instant
        machine.etime = machine.changed = instant
        machine.become(DONE)
