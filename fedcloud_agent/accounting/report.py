"""What the ledger can tell: monthly usage as the repository will show it, records set aside, records as messages."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import closings
from fedcloud_agent.accounting.packing import Limits
from fedcloud_agent.accounting.record import HEADER, SEPARATOR
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import month_name


class MonthOfVO(NamedTuple):
    """The usage of one VO in one month, as the ledger has it for one destination. Durations in seconds."""

    destination: str
    cloud: str
    month: str
    vo: str
    machines: int
    wall: int
    cpu: int
    acknowledged: int
    """Records whose newest form the other side has acknowledged."""
    waiting: int
    rejected: int


class Rejected(NamedTuple):
    """A record that must not leave."""

    destination: str
    cloud: str
    uuid: str
    name: str
    vo: str
    month: str
    reason: str


class Ended(NamedTuple):
    """A machine whose accounting a person should know of: it vanished, or was otherwise out of the ordinary."""

    cloud: str
    uuid: str
    name: str
    vo: str
    note: str


def months(connection: Connection, first: Optional[int] = None, last: Optional[int] = None) -> List[MonthOfVO]:
    """Return usage by destination, cloud, month and VO; a month's share is what grew since the month before."""
    life = {"partition_by": (record.c.destination, record.c.vm), "order_by": record.c.month}
    grown = select(
        record.c.destination,
        record.c.vm,
        record.c.month,
        (record.c.wall - func.coalesce(func.lag(record.c.wall).over(**life), 0)).label("wall"),
        (record.c.cpu - func.coalesce(func.lag(record.c.cpu).over(**life), 0)).label("cpu"),
        record.c.pending,
        record.c.message,
        record.c.rejected,
        record.c.acknowledged,
    ).subquery()
    waits = case(
        (grown.c.rejected.is_not(None), 0), (grown.c.pending == 1, 1), (grown.c.message.is_not(None), 1), else_=0
    )
    arrived = case((grown.c.rejected.is_(None) & (grown.c.pending == 0) & grown.c.message.is_(None), 1), else_=0)
    query = (
        select(
            grown.c.destination,
            vm.c.cloud,
            grown.c.month,
            vm.c.vo,
            func.count(),
            func.sum(grown.c.wall),
            func.sum(grown.c.cpu),
            func.sum(arrived),
            func.sum(waits),
            func.sum(case((grown.c.rejected.is_not(None), 1), else_=0)),
        )
        .join(vm, vm.c.id == grown.c.vm)
        .group_by(grown.c.destination, vm.c.cloud, grown.c.month, vm.c.vo)
        .order_by(grown.c.destination, vm.c.cloud, grown.c.month, vm.c.vo)
    )
    if first is not None:
        query = query.where(grown.c.month >= first)
    if last is not None:
        query = query.where(grown.c.month <= last)
    found = {tuple(row[:4]): tuple(int(value) for value in row[4:]) for row in connection.execute(query)}
    for kept in closings.between(connection, first, last):
        key = (kept.destination, kept.cloud, kept.month, kept.vo)
        # all of it was acknowledged, or it would not have been let go
        more = (kept.machines, kept.wall, kept.cpu, kept.machines, 0, 0)
        found[key] = tuple(a + b for a, b in zip(found.get(key, (0,) * len(more)), more))
    return [
        MonthOfVO(destination, cloud, month_name(month), vo, *values)
        for (destination, cloud, month, vo), values in sorted(found.items())
    ]


def rejected(connection: Connection) -> List[Rejected]:
    """Return every record that was set aside, with its reason."""
    rows = connection.execute(
        select(record.c.destination, vm.c.cloud, vm.c.uuid, vm.c.name, vm.c.vo, record.c.month, record.c.rejected)
        .join(vm, vm.c.id == record.c.vm)
        .where(record.c.rejected.is_not(None))
        .order_by(record.c.destination, vm.c.cloud, vm.c.uuid, record.c.month)
    )
    return [Rejected(r[0], r[1], r[2], r[3], r[4], month_name(r[5]), r[6]) for r in rows]


def notes(connection: Connection) -> List[Ended]:
    """Return the machines that carry a note."""
    rows = connection.execute(
        select(vm.c.cloud, vm.c.uuid, vm.c.name, vm.c.vo, vm.c.note).where(vm.c.note.is_not(None)).order_by(vm.c.id)
    )
    return [Ended(*row) for row in rows]


def bodies(
    connection: Connection, destination: str, limits: Limits, first: Optional[int], last: Optional[int]
) -> Iterator[str]:
    """Yield the newest records of a destination as message bodies, by month and machine; nothing is written down."""
    query = (
        select(record.c.content)
        .where(record.c.destination == destination, record.c.rejected.is_(None))
        .order_by(record.c.month, record.c.vm)
    )
    if first is not None:
        query = query.where(record.c.month >= first)
    if last is not None:
        query = query.where(record.c.month <= last)
    head = HEADER.format(version=limits.version)
    parts: List[str] = []
    size = 0
    for (content,) in connection.execution_options(yield_per=500).execute(query):
        if parts and (len(parts) >= limits.records or size + len(content) > limits.size):
            yield head + SEPARATOR.join(parts) + SEPARATOR
            parts, size = [], 0
        parts.append(content)
        size += len(content) + len(SEPARATOR)
    if parts:
        yield head + SEPARATOR.join(parts) + SEPARATOR
