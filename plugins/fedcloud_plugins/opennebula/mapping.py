"""How a machine of oned becomes a virtual machine of the contract. Pure, but for the look-ups that it is handed.

What only the past can tell is taken from the machine as the ledger knows it: who its owner and what its image was when
it was first seen, in which intervals it ran before oned's story changed, what its network counters summed up to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple, Union

from fedcloud_agent.clock import DAY
from fedcloud_agent.clouds.contract import Problem, Unreadable, VirtualMachine
from fedcloud_plugins.opennebula.addresses import public_addresses
from fedcloud_plugins.opennebula.benchmark import Place, place_of
from fedcloud_plugins.opennebula.counters import Traffic, advanced
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.identity import global_user
from fedcloud_plugins.opennebula.images import image_of_machine
from fedcloud_plugins.opennebula.intervals import FROM_THE_FUTURE, UNTIMED, continued, lived
from fedcloud_plugins.opennebula.pools import Cluster, Host, Image, Template, User
from fedcloud_plugins.opennebula.row import Form, Row, Sample
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings
from fedcloud_plugins.opennebula.states import is_over, status_of, word_of
from fedcloud_plugins.opennebula.trace import trace_of, written
from fedcloud_plugins.opennebula.vmuuid import Naming

_RESIZED = 35


@dataclass(frozen=True)
class Reading:
    """What rows are read with: facts of the run that no row tells.

    ``as_of``: the present by the cloud's clock. The look-ups return None for what is not there any more; ``sample`` is
    what was monitored last, where that was asked for apart from the machines.
    """

    settings: OpenNebulaSettings
    naming: Naming
    as_of: int
    user: Callable[[int], Optional[User]]
    image: Callable[[int], Optional[Image]]
    template: Callable[[int], Optional[Template]]
    host: Callable[[int], Optional[Host]]
    cluster: Callable[[int], Optional[Cluster]]
    sample: Callable[[int], Optional[Sample]] = lambda id_: None


def vo_of(row: Row, known: Optional[VirtualMachine], reading: Reading) -> Optional[str]:
    """Return the VO that a machine is accounted to, or None.

    One that was moved out of a VO's group into one that serves none stays with its VO; one whose group serves no VO any
    more does not.
    """
    vo = reading.settings.vo_of(str(row.gid), row.gname)
    if vo is None and known is not None and known.group != str(row.gid):
        return known.vo
    return vo


def machine_of(
    row: Row, known: Optional[VirtualMachine], reading: Reading
) -> Tuple[Union[VirtualMachine, Unreadable, None], List[Problem]]:
    """Return the machine that a row describes, and what a person should hear of; equal problems are to be told once.

    None: it is not to be accounted. ``known``: the machine as the ledger holds it. Where the row's form does not tell
    what is needed of its history, the machine is unreadable, or, if it is known, continued from its state.
    """
    uuid = reading.naming.uuid(row.id, row.stime)
    vo = vo_of(row, known, reading)
    if vo is None:
        group = row.gname or str(row.gid)
        return None, [Problem(f"group {group}", "it serves no VO; its machines are not accounted")]
    if row.odd:
        return Unreadable(uuid, "; ".join(row.odd)[:300]), []
    status = status_of(row)
    if status is None:
        return Unreadable(uuid, f"its state is {row.state}, of which we know nothing"), []
    untold = needs_history(row, known)
    if untold and (row.form is not Form.SHORT or known is None):
        return Unreadable(uuid, "its history was not told"), []
    if not row.history and known is not None and known.start is not None and not is_over(row):
        return Unreadable(uuid, "it has no history any more"), []

    problems: List[Problem] = []
    stays = reading.settings.vo_of(str(row.gid), row.gname) is None
    if stays:
        problems.append(
            Problem(f"machine {row.id}", f"its group {row.gname} serves no VO; it is accounted to {vo} as before")
        )
    end = _end(row, known, reading.as_of, problems)
    before = trace_of(known)
    intervals = known.running or () if known is not None else ()
    story = (continued if row.form is Form.SHORT else lived)(row, intervals, before, end, reading.as_of)
    problems.extend(story.problems)
    if untold:
        problems.append(UNTIMED)
    start = known.start if known is not None and known.start is not None else None
    if start is None and any(record.rstime for record in row.history):
        start = row.stime
    traffic = advanced(
        Traffic(
            known.network_in if known is not None else None,
            known.network_out if known is not None else None,
            story.trace.network,
        ),
        before.spell if before is not None else None,
        story.trace.spell,
        None if untold else reading.sample(row.id) or row.sample,
    )
    user = _user(row, known, reading, problems)
    place = _place(row, known, reading)
    short = row.form is Form.SHORT and known is not None
    machine = VirtualMachine(
        uuid=uuid,
        name=row.name,
        status=status,
        cloud_status=word_of(row),
        user=str(row.uid),
        group=known.group if stays and known is not None else str(row.gid),
        global_user=user,
        vo=vo,
        start=start,
        end=max(end, start) if end is not None and start is not None else None,
        changed=_changed(row, known),
        cpu_count=row.vcpu or (known.cpu_count if short and known is not None else 1),
        memory=row.memory,
        disk=known.disk if short and known is not None else _disk(row, reading),
        image=_image(row, known, reading),
        public_ips=None
        if short or _is_gone(row, known)
        else public_addresses(row.nics, reading.settings.public_networks),
        running=story.running,
        network_in=traffic.inbound,
        network_out=traffic.outbound,
        benchmark_type=place.benchmark_type,
        benchmark=place.benchmark,
        site=place.site,
        trace=written(story.trace._replace(network=traffic.last)),
    )
    return machine, problems


def _end(row: Row, known: Optional[VirtualMachine], as_of: int, problems: List[Problem]) -> Optional[int]:
    if not is_over(row):
        return None
    end = row.etime or max((max(r.etime, r.eetime, r.estime, r.retime) for r in row.history), default=0)
    if end > as_of + DAY:
        problems.append(FROM_THE_FUTURE)
        end = 0
    if end:
        return end
    return known.end if known is not None and known.end is not None else as_of


def _is_gone(row: Row, known: Optional[VirtualMachine]) -> bool:
    """Tell whether its addresses were given back, while those that it had are known."""
    return is_over(row) and known is not None and known.public_ips is not None


def _changed(row: Row, known: Optional[VirtualMachine]) -> Optional[int]:
    """Return when the machine's size may have changed last: with a record of its own, or with the last one."""
    if row.form is not Form.FULL and known is not None and known.changed is not None:
        trace = trace_of(known)
        last = row.history[-1] if row.history else None
        same = last is None or (trace is not None and trace.open == last.key)
        if row.form is Form.SHORT or same:
            return known.changed
    if row.form is Form.SHORT:
        return None
    for record, following in zip(reversed(row.history[:-1]), reversed(row.history)):
        if record.action == _RESIZED:
            return following.stime
    return row.history[-1].stime if row.history else row.stime


def _disk(row: Row, reading: Reading) -> int:
    """Return GB, rounded up. A disk of an early release may not tell its size; then its image does."""
    total = 0
    for disk in row.disks:
        if disk.cdrom:
            continue
        if disk.size is not None:
            total += disk.size
        elif disk.image is not None:
            image = reading.image(disk.image)
            total += (image.size or 0) if image is not None else 0
    return -(-total // 1024)


def _user(row: Row, known: Optional[VirtualMachine], reading: Reading, problems: List[Problem]) -> Optional[str]:
    """Return who the owner is, resolved at first sight: accounts vanish before their machines do."""
    if known is not None and known.global_user is not None and known.user == str(row.uid):
        return known.global_user
    found = global_user(row.told, reading.settings.machine_user_properties, reading.user(row.uid))
    if found is None:
        name = row.uname or str(row.uid)
        problems.append(Problem(f"user {name}", "neither DN nor Check-in identifier is known; records name nobody"))
    return found


def _image(row: Row, known: Optional[VirtualMachine], reading: Reading) -> Optional[str]:
    """Return the image, resolved at first sight."""
    if known is not None and known.image is not None:
        return known.image
    return image_of_machine(row, reading.settings.image_keys, reading.image, reading.template)


def _place(row: Row, known: Optional[VirtualMachine], reading: Reading) -> Place:
    """Return what follows from where the machine is; a host that is gone meanwhile takes nothing with it."""
    place = place_of(row, reading.host, reading.cluster)
    if place.benchmark is None and known is not None:
        trace = trace_of(known)
        last = row.history[-1] if row.history else None
        if last is None or (trace is not None and trace.last is not None and trace.last.hid == last.hid):
            return place._replace(benchmark_type=known.benchmark_type, benchmark=known.benchmark)
    return place
