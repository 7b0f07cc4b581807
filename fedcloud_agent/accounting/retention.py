"""Let machines go that ended long ago: personal data and records are dropped, the sums of their months stay for ever.

A machine is let go whole, in one transaction: its months are added to the closings, its digest is noted, its rows are
removed. Whatever still has to leave, or was never acknowledged, or waits for a person, keeps its machine here.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import Any, Iterator, List, Sequence

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import closings, departures, republication
from fedcloud_agent.accounting.closings import Row
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clouds.contract import COMPLETED
from fedcloud_agent.store.engine import Store

BATCH = 200
BATCHES = 250
"""In one run at most: the first run over an old ledger must not hold up what is to be reported."""


def let_go(store: Store, cloud: str, destinations: Sequence[str], ended_before: int, batches: int = BATCHES) -> int:
    """Let the machines of a cloud go that ended before an instant; return how many they were.

    Nothing is let go while a republication to one of the ``destinations`` is under way: it was promised the records.
    """
    total = after = 0
    for _ in range(batches):
        with store.write() as connection, _wiping(connection):
            if any(republication.is_open(connection, name) for name in destinations):
                break
            machines = _ripe(connection, cloud, ended_before, after)
            if machines:
                _close(connection, cloud, machines)
        total += len(machines)
        if len(machines) < BATCH:
            break
        after = machines[-1].id
    return total


@contextlib.contextmanager
def _wiping(connection: Connection) -> Iterator[None]:
    """Have what is dropped here overwritten, where the database leaves it in its free pages otherwise."""
    embedded = connection.dialect.name == "sqlite"
    if embedded:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        if embedded:
            connection.exec_driver_sql("PRAGMA secure_delete=FAST")


_UNDONE = (
    select(record.c.vm)
    .where(
        record.c.vm == vm.c.id,
        or_(
            record.c.pending == 1,
            record.c.message.is_not(None),
            record.c.rejected.is_not(None),
            record.c.acknowledged.is_(None),
        ),
    )
    .exists()
)
_RIPE = (
    select(vm.c.id, vm.c.uuid, vm.c.vo)
    .where(
        vm.c.cloud == bindparam("of_cloud"),
        vm.c.id > bindparam("after"),
        vm.c.status == COMPLETED,
        vm.c.due.is_(None),
        # one that never started has no end
        func.coalesce(vm.c.end, vm.c.changed, vm.c.first_seen) < bindparam("ended_before"),
        ~_UNDONE,
    )
    .order_by(vm.c.id)
    .limit(bindparam("batch"))
)


def _ripe(connection: Connection, cloud: str, ended_before: int, after: int) -> List[Any]:
    wanted = {"of_cloud": cloud, "ended_before": ended_before, "after": after, "batch": BATCH}
    return list(connection.execute(_RIPE, wanted))


def _close(connection: Connection, cloud: str, machines: Sequence[Any]) -> None:
    vos = {machine.id: machine.vo for machine in machines}
    rows = connection.execute(
        select(record.c.vm, *[record.c[name] for name in Row._fields])
        .where(record.c.vm.in_(list(vos)))
        .order_by(record.c.destination, record.c.vm, record.c.month)
    )
    lives = itertools.groupby(map(tuple, rows), key=lambda row: row[:2])
    closings.add(
        connection,
        (
            share
            for (machine, destination), months in lives
            for share in closings.shares(destination, cloud, vos[machine], (Row._make(row[1:]) for row in months))
        ),
    )
    departures.note(connection, cloud, [machine.uuid for machine in machines])
    connection.execute(delete(record).where(record.c.vm.in_(list(vos))))
    connection.execute(delete(vm).where(vm.c.id.in_(list(vos))))
