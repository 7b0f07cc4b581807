"""Release: records that were set aside are judged again, and go out if their reason is mended.

A record of a live machine is made anew at the next look at it. Those of its earlier months, and all of a machine that
has ended, are made once; so they are made again here, from what the ledger knows of the machine by now and from what
the site's configuration says by now, with the values that they had.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import figures_of
from fedcloud_agent.accounting.measurement import Measurement
from fedcloud_agent.accounting.packing import refused_message, words_of_refusal
from fedcloud_agent.accounting.record import Frame, Subject, fault, fields_of, keys_of, parse, render
from fedcloud_agent.accounting.tables import THIS_RECORD, record, vm
from fedcloud_agent.clock import month_name
from fedcloud_agent.outbox import queue
from fedcloud_agent.store.bulk import run_many
from fedcloud_agent.store.engine import Store

PAGE = 200


class Wanted(NamedTuple):
    """Which records: of these machines, of these messages that were refused, or every one."""

    machines: FrozenSet[str] = frozenset()
    messages: FrozenSet[str] = frozenset()
    everything: bool = False


class Kept(NamedTuple):
    """A record that stays set aside."""

    destination: str
    cloud: str
    uuid: str
    month: str
    reason: str


class Released(NamedTuple):
    """What a release did. ``messages``: the refused ones that are gone, as none of their records is set aside."""

    records: int
    kept: Tuple[Kept, ...]
    messages: Tuple[str, ...]


def release(store: Store, wanted: Wanted, frames: Mapping[str, Frame]) -> Released:
    """Judge records again; a page of machines in each transaction. ``frames``: by cloud, of those that are configured.

    A record of another cloud is judged as it stands.
    """
    released, after = 0, 0
    kept: List[Kept] = []
    answered: Set[str] = set(wanted.messages)
    while True:
        with store.write() as connection:
            rows = _page(connection, wanted, after)
            changes = [_judged(row, frames.get(row.cloud)) for row in rows]
            run_many(connection, _JUDGED, changes)
        for row, change in zip(rows, changes):
            if change["rejected"] is None:
                released += 1
                answered |= {refused_message(row.rejected) or ""} - {""}
            else:
                kept.append(Kept(row.destination, row.cloud, row.uuid, month_name(row.month), str(change["rejected"])))
        if not rows:
            return Released(released, tuple(kept), _forget(store, None if wanted.everything else answered))
        after = rows[-1].vm


_SUBJECT = [vm.c[name] for name in Subject._fields]
_ROW = [
    record.c[name]
    for name in (
        *("destination", "vm", "month", "measured", "wall", "cpu"),
        *("network_in", "network_out", "content", "key_fields", "rejected"),
    )
]
_JUDGED = (
    update(record)
    .where(THIS_RECORD)
    .values({name: bindparam(name) for name in ("content", "key_fields", "figures", "pending", "rejected")})
)


def _page(connection: Connection, wanted: Wanted, after: int) -> Sequence[Any]:
    """Return the chosen records of the next machines that have any, each machine whole."""
    terms: List[Any] = [record.c.rejected.is_not(None)]
    if not wanted.everything:
        terms.append(
            or_(
                vm.c.uuid.in_(sorted(wanted.machines)),
                *(record.c.rejected.startswith(words_of_refusal(one), autoescape=True) for one in wanted.messages),
            )
        )
    joined = record.join(vm, vm.c.id == record.c.vm)
    machines = (
        select(record.c.vm).distinct().select_from(joined).where(*terms, record.c.vm > after).order_by(record.c.vm)
    )
    ids = connection.execute(machines.limit(PAGE)).scalars().all()
    query = (
        select(vm.c.cloud, vm.c.uuid, *_ROW, *[column.label(f"of_{column.name}") for column in _SUBJECT])
        .select_from(joined)
        .where(*terms, record.c.vm.in_(ids))
        .order_by(record.c.vm, record.c.month, record.c.destination)
    )
    return list(connection.execute(query)) if ids else []


def _judged(row: Any, frame: Optional[Frame]) -> Dict[str, Any]:
    fields = parse(row.content)
    if frame is not None and refused_message(row.rejected) is None:
        subject = Subject(*(getattr(row, f"of_{name}") for name in Subject._fields))
        fields = fields_of(subject, _measured(row, fields), frame)
    reason = fault(fields)
    return {
        "of_destination": row.destination,
        "of_vm": row.vm,
        "of_month": row.month,
        "content": render(fields),
        "key_fields": keys_of(fields),
        "figures": figures_of(fields, row.measured),
        "pending": 0 if reason else 1,
        "rejected": reason,
    }


def _measured(row: Any, fields: Mapping[str, str]) -> Measurement:
    """Return the values of a record that was made, from which it can be made again."""
    return Measurement(
        month=row.month,
        measured=row.measured,
        end=row.measured if "EndTime" in fields else None,
        status=fields["Status"],
        wall=row.wall,
        suspend=int(fields["SuspendDuration"]),
        cpu=row.cpu,
        cpu_count=fields["CpuCount"],
        network_in=row.network_in,
        network_out=row.network_out,
    )


def _forget(store: Store, answered: Optional[Set[str]]) -> Tuple[str, ...]:
    """Remove refused messages of which no record is set aside any more; None: whichever."""
    gone = []
    with store.write() as connection:
        for one in queue.quarantined(connection):
            if answered is not None and one.id not in answered:
                continue
            left = select(record.c.vm).where(record.c.rejected.startswith(words_of_refusal(one.id), autoescape=True))
            if connection.execute(left.limit(1)).first() is None:
                gone.append(one.id)
        queue.remove(connection, gone)
    return tuple(gone)
