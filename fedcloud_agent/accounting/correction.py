"""Correct: months whose values the ledger would now measure otherwise, since the cloud told more after they were made.

Ordinary records never fall below what was published. Only a person may have them lowered, by republishing: then every
row keeps its date and all that the repository groups by, and takes the time that the machine is now known to have run.
The repository counts a month as what a cumulative value grew by, so every later month of that machine follows.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import figures_of
from fedcloud_agent.accounting.life import Life, cpu, wall
from fedcloud_agent.accounting.making import Stream, life_of, origin_of, streams
from fedcloud_agent.accounting.record import FIELDS, fault, parse, render
from fedcloud_agent.accounting.republication import Selection
from fedcloud_agent.accounting.tables import THIS_RECORD, record, vm
from fedcloud_agent.clock import month_end, month_of
from fedcloud_agent.clouds.contract import COMPLETED
from fedcloud_agent.store.bulk import run_many
from fedcloud_agent.store.engine import Store

PAGE = 500
_ROUNDING = 1
"""A row that was made in a month's last second holds that second or not, as it was made as an edge or not."""


class Values(NamedTuple):
    """What a row says of a machine's life up to its date: cumulative seconds, and its date."""

    measured: int
    wall: int
    cpu: int
    suspend: int


class Corrected(NamedTuple):
    """What corrections come to: machines, their rows whose values change, those of them that fall, rows that follow."""

    machines: int = 0
    changed: int = 0
    lowered: int = 0
    following: int = 0


class _Row(NamedTuple):
    vm: int
    month: int
    measured: int
    wall: int
    cpu: int
    content: str
    rejected: Optional[str]


class _Fix(NamedTuple):
    """``grown``: by how many seconds a row's value changes."""

    grown: int
    values: Dict[str, Any]


def values_at(life: Life, row_month: int, measured: int, completed: bool, base: Optional[int]) -> Values:
    """Return what a row of a month, measured at an instant, has to say. ``base``: what came before is not ours."""
    if completed and life.end is not None and life.end < measured and month_of(life.end) == row_month:
        measured = life.end
    until = measured + 1 if measured == month_end(row_month) and not completed else measured
    before = base if base is not None and base > life.start else None
    whole = wall(life, until)
    lived = until if life.end is None else min(until, life.end)
    return Values(
        measured,
        whole - (wall(life, before) if before is not None else 0),
        cpu(life, until) - (cpu(life, before) if before is not None else 0),
        max(0, lived - life.start - whole),
    )


def rewritten(content: str, start: int, now: Values) -> str:
    """Return a record with other values; what it is grouped by stays as it is."""
    fields = parse(content)
    ran, suspend = now.wall, now.suspend
    if "RecordCreateTime" in fields:
        fields["RecordCreateTime"] = str(now.measured)
    else:
        # version 0.2: a row is dated by StartTime + SuspendDuration + WallDuration
        suspend = now.measured - start - ran
        if suspend < 0:
            ran, suspend = max(0, ran + suspend), 0
    fields["StartTime"] = str(start)
    if "EndTime" in fields:
        fields["EndTime"] = str(now.measured)
    fields["SuspendDuration"], fields["WallDuration"], fields["CpuDuration"] = str(suspend), str(ran), str(now.cpu)
    return render({key: fields[key] for key in FIELDS if key in fields})


def corrections(store: Store, destination: str, chosen: Selection, cpu_duration: str) -> Corrected:
    """Return what :func:`correct` would change; nothing is written."""
    total = Corrected()
    after: Optional[int] = 0
    while after is not None:
        with store.read() as connection:
            found, after = _page(connection, destination, chosen, cpu_duration, after)
        total = _sum(total, found)
    return total


def correct(store: Store, destination: str, chosen: Selection, cpu_duration: str) -> Corrected:
    """Correct the chosen months, and what follows of their machines; all of it waits to leave.

    A page of machines in each transaction, each machine whole: a second call finds what the first did not come to.
    """
    total = Corrected()
    after: Optional[int] = 0
    while after is not None:
        with store.write() as connection:
            found, after = _page(connection, destination, chosen, cpu_duration, after)
            run_many(connection, _CORRECT, [fix.values for fixes in found for fix in fixes])
        total = _sum(total, found)
    return total


def _sum(total: Corrected, found: Sequence[Sequence[_Fix]]) -> Corrected:
    changes = [fix.grown for fixes in found for fix in fixes if fix.grown]
    rows = sum(len(fixes) for fixes in found)
    return Corrected(
        total.machines + len(found),
        total.changed + len(changes),
        total.lowered + sum(grown < 0 for grown in changes),
        total.following + rows - len(changes),
    )


_MACHINE = [vm.c[name] for name in ("id", "cloud", "start", "end", "running", "sizes", "cpu_count")]
_ROW = [record.c[name] for name in _Row._fields]
_CORRECT = (
    update(record)
    .where(THIS_RECORD)
    .values(
        {name: bindparam(name) for name in ("measured", "wall", "cpu", "content", "figures", "pending", "rejected")}
    )
)


def _page(
    connection: Connection, destination: str, chosen: Selection, cpu_duration: str, after: int
) -> Tuple[List[List[_Fix]], Optional[int]]:
    """Return what is to be mended of the next machines, and the last of them; None when there is no other."""
    query = select(*_MACHINE).where(vm.c.id > after, vm.c.start.is_not(None)).order_by(vm.c.id).limit(PAGE)
    if chosen.cloud is not None:
        query = query.where(vm.c.cloud == chosen.cloud)
    if chosen.vo is not None:
        query = query.where(vm.c.vo == chosen.vo)
    machines = connection.execute(query).all()
    if not machines:
        return [], None
    rows: Dict[int, List[_Row]] = {}
    for row in connection.execute(
        select(*_ROW)
        .where(record.c.destination == destination, record.c.vm.between(machines[0].id, machines[-1].id))
        .where(record.c.month >= chosen.first)
        .order_by(record.c.vm, record.c.month)
    ):
        rows.setdefault(row.vm, []).append(_Row._make(row))
    begun = {name: streams(connection, name).get(destination) for name in {machine.cloud for machine in machines}}
    found = []
    for machine in machines:
        stream = begun[machine.cloud]
        if stream is not None and machine.id in rows:
            fixes = list(_fixes(machine, rows[machine.id], stream, chosen.last, cpu_duration))
            if fixes:
                found.append(fixes)
    return found, machines[-1].id if len(machines) == PAGE else None


def _fixes(machine: Any, rows: Sequence[_Row], stream: Stream, last: int, cpu_duration: str) -> Iterator[_Fix]:
    """Yield the first row that changes among the chosen months, and every later one of the machine."""
    life = life_of(machine.start, machine.end, machine.running, machine.sizes, machine.cpu_count)
    base = origin_of(machine.start, stream).baseline
    begun = False
    for row in rows:
        fields = parse(row.content)
        now = values_at(life, row.month, row.measured, fields["Status"] == COMPLETED, base)
        if abs(now.wall - row.wall) <= _ROUNDING:
            now = now._replace(wall=row.wall, cpu=row.cpu, measured=row.measured)
        else:
            now = now._replace(cpu={"wall": now.wall, "measured": row.cpu}.get(cpu_duration, now.cpu))
        if now.wall == row.wall and not begun:
            continue
        if not begun and row.month > last:
            return
        begun = True
        content, reason = row.content, row.rejected
        if now.wall != row.wall:
            content = rewritten(content, machine.start, now)
            reason = fault(parse(content))
        yield _Fix(
            now.wall - row.wall,
            {
                "of_destination": stream.destination,
                "of_vm": row.vm,
                "of_month": row.month,
                "measured": now.measured,
                "wall": now.wall,
                "cpu": now.cpu,
                "content": content,
                "figures": figures_of(parse(content), now.measured),
                "pending": 0 if reason else 1,
                "rejected": reason,
            },
        )
