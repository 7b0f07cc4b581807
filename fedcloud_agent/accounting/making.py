"""From the ledger to records: which machines are due, and what their months now show, for every destination."""

from __future__ import annotations

import json
from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import and_, bindparam, insert, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import figures_of
from fedcloud_agent.accounting.life import Life
from fedcloud_agent.accounting.measurement import Counters, Measurement, Origin, Rules, Sent, measurements
from fedcloud_agent.accounting.record import Frame, Subject, fault, fields_of, keys_of, render
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, CONTINUED, FirstRun
from fedcloud_agent.accounting.tables import THIS_RECORD, record, stream, vm
from fedcloud_agent.clock import month_of, month_start
from fedcloud_agent.clouds.contract import COMPLETED
from fedcloud_agent.store.bulk import read_many, run_many

CHUNK = 500
_SLACK = 300  # a run that comes a little early must not put a record off to the next one


class Stream(NamedTuple):
    """The choice that was made before the first record of a cloud went to a destination."""

    destination: str
    first_run: FirstRun
    since: int
    resting: bool = False
    """Whether the destination was not configured at the last extraction."""


class Made(NamedTuple):
    """What one chunk of machines gave: machines looked at, records made, and of these set aside."""

    machines: int
    records: int
    rejected: int


class _Due(NamedTuple):
    id: int
    end: Optional[int]
    status: str
    changed: Optional[int]
    cpu_count: int
    running: Optional[str]
    sizes: Optional[str]
    cpu_seconds: Optional[int]
    network_in: Optional[int]
    network_out: Optional[int]
    alive_at: Optional[int]
    missed: int
    unreadable: Optional[str]


_DUE = [vm.c[name] for name in _Due._fields]
_SUBJECT = [vm.c[name] for name in Subject._fields]
_CHUNK_DUE = (
    select(*_DUE, *_SUBJECT)
    .where(vm.c.cloud == bindparam("of_cloud"), vm.c.scope == bindparam("of_scope"), vm.c.due <= bindparam("as_of"))
    .order_by(vm.c.due)
    .limit(CHUNK)
)
_SENT = [record.c.month, record.c.measured, record.c.wall, record.c.cpu, record.c.network_in, record.c.network_out]


def streams(connection: Connection, cloud: str) -> Dict[str, Stream]:
    """Return the streams of a cloud that have begun, by destination."""
    rows = connection.execute(select(stream).where(stream.c.cloud == cloud))
    return {
        r.destination: Stream(r.destination, FirstRun(r.policy, r.baseline), r.since, bool(r.resting)) for r in rows
    }


def begin_stream(connection: Connection, cloud: str, destination: str, first_run: FirstRun, as_of: int) -> Stream:
    """Write down, once and for all, how machines known at ``as_of`` are first reported; every machine becomes due."""
    connection.execute(
        insert(stream).values(
            cloud=cloud,
            destination=destination,
            policy=first_run.policy,
            baseline=first_run.date,
            since=as_of,
        )
    )
    _make_all_due(connection, cloud)
    return Stream(destination, first_run, as_of)


def rest(connection: Connection, cloud: str, destinations: Sequence[str]) -> None:
    """Note that destinations are not configured: from now on they lack the records of what happens."""
    connection.execute(_of(cloud, destinations).values(resting=1))


def resume(connection: Connection, cloud: str, destinations: Sequence[str]) -> None:
    """Note that destinations are configured again; every machine becomes due, so that they get what they lack."""
    connection.execute(_of(cloud, destinations).values(resting=None))
    _make_all_due(connection, cloud)


def _of(cloud: str, destinations: Sequence[str]) -> Any:
    return update(stream).where(stream.c.cloud == cloud, stream.c.destination.in_(destinations))


def _make_all_due(connection: Connection, cloud: str) -> None:
    connection.execute(
        update(vm).where(vm.c.cloud == cloud, vm.c.start.is_not(None), vm.c.due.is_distinct_from(0)).values(due=0)
    )


def make(
    connection: Connection,
    cloud: str,
    scope: str,
    as_of: int,
    to: Sequence[Stream],
    frame: Frame,
    rules: Rules,
    resend: int,
) -> Made:
    """Make the records of one chunk of due machines; call again until no machine is left.

    Everything of one machine is written in this transaction: its records and when it is due again.
    """
    found = read_many(connection, _CHUNK_DUE, {"of_cloud": cloud, "of_scope": scope, "as_of": as_of})
    machines = [(_Due._make(row[: len(_DUE)]), Subject._make(row[len(_DUE) :])) for row in found]
    made: List[Dict[str, Any]] = []
    for one in to:
        last = _newest(connection, one.destination, [due.id for due, _ in machines])
        rows = [
            row
            for due, subject in machines
            for row in _records(due, subject, last.get(due.id), as_of, one, frame, rules)
        ]
        _write(connection, one.destination, rows, last.keys())
        made.extend(rows)
    again = min(as_of + resend - _SLACK, month_start(month_of(as_of) + 1))
    run_many(
        connection,
        _AGAIN,
        [
            {
                "row": due.id,
                "due": None if due.status == COMPLETED else as_of + 1 if _in_doubt(due) else again,
                "alive_at": due.alive_at if _in_doubt(due) else max(as_of, due.alive_at or 0),
            }
            for due, _ in machines
        ],
    )
    return Made(len(machines), len(made), sum(row["rejected"] is not None for row in made))


_AGAIN = update(vm).where(vm.c.id == bindparam("row")).values(due=bindparam("due"), alive_at=bindparam("alive_at"))


def _in_doubt(due: _Due) -> bool:
    """Tell whether a machine may be gone: then it is reported no further than it was known to be alive."""
    return due.status == COMPLETED or due.missed > 0 or due.unreadable is not None


def _records(
    due: _Due, subject: Subject, last: Optional[Sent], as_of: int, to: Stream, frame: Frame, rules: Rules
) -> List[Dict[str, Any]]:
    origin = origin_of(subject.start, to)
    # how far a former tool's counters got nobody knows, and none may fall: of its machines only times are told
    counters = Counters(due.cpu_seconds, due.network_in, due.network_out) if origin.is_ours else Counters()
    rows = measurements(
        life_of(subject.start, due.end, due.running, due.sizes, due.cpu_count),
        counters,
        due.status,
        due.changed,
        last,
        (due.alive_at or 0) if _in_doubt(due) else as_of,
        origin,
        rules,
    )
    return [_row(due.id, subject, row, to.destination, frame) for row in rows]


def life_of(start: int, end: Optional[int], running: Optional[str], sizes: Optional[str], cpu_count: int) -> Life:
    """Return a machine's life as the columns of the ledger hold it."""
    ran = None
    if running:
        ran = tuple((int(begin), None if stop is None else int(stop)) for begin, stop in json.loads(running))
    if sizes:
        return Life(start, end, ran, tuple((int(begin), int(count)) for begin, count in json.loads(sizes)))
    return Life(start, end, ran, ((start, cpu_count),))


def origin_of(start: int, to: Stream) -> Origin:
    """Return from when on a machine is ours to report in a stream.

    It goes by when the machine started, not by when we first saw it: one that could not be read when the stream began
    was reported by the former tool all the same.
    """
    date = to.first_run.date
    if to.first_run.policy == BASELINE and date is not None and start < date:
        return Origin(month_of(date), date)
    if is_continued(start, to):
        return Origin(None, earliest=month_of(to.since - CONTINUED))
    return Origin(month_of(start))


def is_continued(start: int, to: Stream) -> bool:
    """Tell whether a former tool reported a machine, by when it started, under the name that we go on with."""
    return to.first_run.policy == CONTINUE and start <= to.since


def _row(machine: int, subject: Subject, row: Measurement, destination: str, frame: Frame) -> Dict[str, Any]:
    fields = fields_of(subject, row, frame)
    reason = fault(fields)
    return {
        "destination": destination,
        "vm": machine,
        "month": row.month,
        "measured": row.measured,
        "wall": row.wall,
        "cpu": row.cpu,
        "network_in": row.network_in,
        "network_out": row.network_out,
        "content": render(fields),
        "key_fields": keys_of(fields),
        "figures": figures_of(fields, row.measured),
        "pending": 0 if reason else 1,
        "rejected": reason,
    }


def _newest(connection: Connection, destination: str, machines: Sequence[int]) -> Mapping[int, Sent]:
    """Return the record of the latest month of each machine that has one."""
    if not machines:
        return {}
    later = record.alias()
    rows = read_many(
        connection,
        select(record.c.vm, *_SENT)
        .where(record.c.destination == destination, record.c.vm.in_(machines))
        .where(
            ~select(later.c.month)
            .where(and_(later.c.destination == destination, later.c.vm == record.c.vm, later.c.month > record.c.month))
            .exists()
        ),
    )
    return {row[0]: Sent._make(row[1:]) for row in rows}


_INSERT = insert(record)
_REPLACE = (
    update(record)
    .where(THIS_RECORD)
    .values(
        {
            name: bindparam(name)
            for name in (
                "measured", "wall", "cpu", "network_in", "network_out", "content", "key_fields", "figures", "pending",
                "rejected",
            )
        }
    )
)  # fmt: skip


def _write(connection: Connection, destination: str, rows: Sequence[Dict[str, Any]], recorded: Collection[int]) -> None:
    """Write the newest record of each VM-month; what an unacknowledged message holds of it stays noted beside it.

    ``recorded``: the machines that have any record yet; of the others there is none to be compared with.
    """
    known: Dict[Tuple[int, int], str] = {}
    machines = sorted({row["vm"] for row in rows if row["vm"] in recorded})
    if machines:
        found = read_many(
            connection,
            select(record.c.vm, record.c.month, record.c.content).where(
                record.c.destination == destination,
                record.c.vm.in_(machines),
                record.c.month.in_(sorted({row["month"] for row in rows})),
            ),
        )
        known = {(machine, month): content for machine, month, content in found}
    fresh, stale = [], []
    for row in rows:
        content = known.get((row["vm"], row["month"]))
        if content is None:
            fresh.append(row)
        elif content != row["content"]:  # what stands there already need not leave again
            stale.append(row)
    run_many(connection, _INSERT, fresh)
    run_many(
        connection,
        _REPLACE,
        [
            {
                **{name: row[name] for name in row if name not in ("destination", "vm", "month")},
                "of_destination": row["destination"],
                "of_vm": row["vm"],
                "of_month": row["month"],
            }
            for row in stale
        ],
    )
