"""Republish: the newest records of past months go out once more, month by month, the oldest first.

What is to go out is written down before any of it does, and how far it got moves in the transaction that lets records
wait again. A delivery carries on with it, whichever comes next, until it is through; so a kill costs nothing. Records
are let go in portions, so that the queue never holds the whole of them.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.tables import THIS_RECORD, closing, record, republication, vm
from fedcloud_agent.store.bulk import run_many

PORTION = 4000
"""Records let go in one transaction."""


class Selection(NamedTuple):
    """Which records: of these months (both included), of one cloud or all (None), of one VO or all (None)."""

    first: int
    last: int
    cloud: Optional[str] = None
    vo: Optional[str] = None


class Extent(NamedTuple):
    """What a republication to one destination comes to."""

    destination: str
    records: int
    machines: int
    first: Optional[int]
    last: Optional[int]
    """The months that have records."""
    under_way: int
    """Of the records, those that wait or are in a message already: they leave anyhow."""
    rejected: int
    """Records set aside beside them: they stay."""


class Closed(NamedTuple):
    """Months of which the records were let go, so that they cannot be sent again."""

    cloud: str
    vo: str
    first: int
    last: int


class Open(NamedTuple):
    """A republication that is not through yet."""

    destination: str
    selection: Selection
    month: int
    records: int
    begun: int


def extent(connection: Connection, destination: str, chosen: Selection) -> Extent:
    """Return what a republication would let go."""
    good = record.c.rejected.is_(None)
    on_its_way = and_(good, (record.c.pending == 1) | record.c.message.is_not(None))
    row = connection.execute(
        select(
            func.count().filter(good),
            func.count(record.c.vm.distinct()).filter(good),
            func.min(record.c.month).filter(good),
            func.max(record.c.month).filter(good),
            func.count().filter(on_its_way),
            func.count().filter(~good),
        ).where(*_where(destination, chosen), record.c.month.between(chosen.first, chosen.last))
    ).one()
    return Extent(destination, *row)


def _where(destination: str, chosen: Selection) -> List[Any]:
    terms: List[Any] = [record.c.destination == destination]
    if chosen.cloud is not None or chosen.vo is not None:
        machines = select(vm.c.id)
        if chosen.cloud is not None:
            machines = machines.where(vm.c.cloud == chosen.cloud)
        if chosen.vo is not None:
            machines = machines.where(vm.c.vo == chosen.vo)
        terms.append(record.c.vm.in_(machines))
    return terms


def closed(connection: Connection, destination: str, chosen: Selection) -> List[Closed]:
    """Return what of a selection cannot be sent again, since its records were let go."""
    query = (
        select(closing.c.cloud, closing.c.vo, func.min(closing.c.month), func.max(closing.c.month))
        .where(closing.c.destination == destination, closing.c.month.between(chosen.first, chosen.last))
        .group_by(closing.c.cloud, closing.c.vo)
        .order_by(closing.c.cloud, closing.c.vo)
    )
    if chosen.cloud is not None:
        query = query.where(closing.c.cloud == chosen.cloud)
    if chosen.vo is not None:
        query = query.where(closing.c.vo == chosen.vo)
    return [Closed(*row) for row in connection.execute(query)]


def begin(connection: Connection, destination: str, chosen: Selection, now: int) -> bool:
    """Write down that a selection is to go out again; False if the very same is under way already: it goes on."""
    if any(one.destination == destination and one.selection == chosen for one in open_ones(connection)):
        return False
    # records that were acknowledged while the clock was ahead must not pass for sent since
    newest = connection.execute(select(func.max(record.c.acknowledged)).where(record.c.destination == destination))
    connection.execute(
        insert(republication).values(
            destination=destination,
            cloud=chosen.cloud,
            vo=chosen.vo,
            first=chosen.first,
            last=chosen.last,
            month=chosen.first,
            vm=0,
            records=0,
            begun=max(now, newest.scalar() or 0),
        )
    )
    return True


def open_ones(connection: Connection) -> List[Open]:
    """Return the republications that are not through yet, the oldest first."""
    rows = connection.execute(select(republication).order_by(republication.c.id))
    return [
        Open(row.destination, Selection(row.first, row.last, row.cloud, row.vo), row.month, row.records, row.begun)
        for row in rows
    ]


def is_open(connection: Connection, destination: str) -> bool:
    """Tell whether a republication to a destination is not through yet."""
    query = select(republication.c.id).where(republication.c.destination == destination).limit(1)
    return connection.execute(query).first() is not None


def proceed(connection: Connection, destination: str) -> int:
    """Let the next portion of records wait again; return how many do now that did not before.

    A portion lies within one month, so that months leave in their order. Returns 0 only when nothing is left to do.
    """
    while True:
        row = connection.execute(
            select(republication)
            .where(republication.c.destination == destination)
            .order_by(republication.c.id)
            .limit(1)
        ).first()
        if row is None:
            return 0
        this = republication.c.id == row.id
        chosen = Selection(row.first, row.last, row.cloud, row.vo)
        rows = _portion(connection, destination, chosen, row.month, row.vm)
        month = row.month
        if not rows:
            following = _month_after(connection, destination, row.month, row.last)
            if following is None:
                connection.execute(delete(republication).where(this))
            else:
                connection.execute(update(republication).where(this).values(month=following, vm=0))
            continue
        again = [one.vm for one in rows if _must_go(one, row.begun)]
        run_many(
            connection, _AGAIN, [{"of_destination": destination, "of_vm": one, "of_month": month} for one in again]
        )
        connection.execute(
            update(republication).where(this).values(vm=rows[-1].vm, records=republication.c.records + len(again))
        )
        if again:
            return len(again)


def _must_go(one: Any, begun: int) -> bool:
    """Tell whether a record has to be let go: not if it waits, is under way, is set aside, or went meanwhile."""
    if one.pending or one.message is not None or one.rejected is not None:
        return False
    return one.acknowledged is None or bool(one.acknowledged <= begun)


def _portion(connection: Connection, destination: str, chosen: Selection, month: int, after: int) -> List[Any]:
    return list(
        connection.execute(
            select(record.c.vm, record.c.pending, record.c.message, record.c.rejected, record.c.acknowledged)
            .where(*_where(destination, chosen))
            .where(record.c.month == month, record.c.vm > after)
            .order_by(record.c.vm)
            .limit(PORTION)
        )
    )


def _month_after(connection: Connection, destination: str, month: int, last: int) -> Optional[int]:
    found: Optional[int] = connection.execute(
        select(func.min(record.c.month)).where(
            record.c.destination == destination, record.c.month > month, record.c.month <= last
        )
    ).scalar()
    return found


_AGAIN = update(record).where(THIS_RECORD).values(pending=1)
