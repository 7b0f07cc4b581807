"""Let machines go that ended long ago: personal data and records are dropped, the sums of their months stay for ever.

A machine is let go whole, in one transaction: its months are added to the closings, its digest is noted, its rows are
removed. Whatever still has to leave, or was never acknowledged, or waits for a person, keeps its machine here.
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import departures, republication
from fedcloud_agent.accounting.record import KEYS
from fedcloud_agent.accounting.tables import closing, record, vm
from fedcloud_agent.clouds.contract import COMPLETED
from fedcloud_agent.store.bulk import run_many
from fedcloud_agent.store.engine import Store

BATCH = 200
BATCHES = 250
"""In one run at most: the first run over an old ledger must not hold up what is to be reported."""

_SITE = KEYS.index("SiteName")


class _Key(NamedTuple):
    destination: str
    site: str
    vo: str
    month: int


class _Grown(NamedTuple):
    machines: int
    wall: int
    cpu: int
    network_in: int
    network_out: int


def let_go(store: Store, cloud: str, destinations: Sequence[str], ended_before: int, batches: int = BATCHES) -> int:
    """Let the machines of a cloud go that ended before an instant; return how many they were.

    Nothing is let go while a republication to one of the ``destinations`` is under way: it was promised the records.
    """
    total = 0
    for _ in range(batches):
        with store.write() as connection, _wiping(connection):
            if any(republication.is_open(connection, name) for name in destinations):
                break
            machines = _ripe(connection, cloud, ended_before)
            if machines:
                _close(connection, cloud, machines)
        total += len(machines)
        if len(machines) < BATCH:
            break
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
        vm.c.status == COMPLETED,
        vm.c.due.is_(None),
        # one that never started has no end
        func.coalesce(vm.c.end, vm.c.changed, vm.c.first_seen) < bindparam("ended_before"),
        ~_UNDONE,
    )
    .order_by(vm.c.id)
    .limit(bindparam("batch"))
)


def _ripe(connection: Connection, cloud: str, ended_before: int) -> List[Any]:
    return list(connection.execute(_RIPE, {"of_cloud": cloud, "ended_before": ended_before, "batch": BATCH}))


def _close(connection: Connection, cloud: str, machines: Sequence[Any]) -> None:
    vos = {machine.id: machine.vo for machine in machines}
    for key, grown in _sums(connection, vos).items():
        _add(connection, cloud, key, grown)
    departures.note(connection, cloud, [machine.uuid for machine in machines])
    connection.execute(delete(record).where(record.c.vm.in_(list(vos))))
    connection.execute(delete(vm).where(vm.c.id.in_(list(vos))))


def _sums(connection: Connection, vos: Dict[int, str]) -> Dict[_Key, _Grown]:
    """Return what machines used by month; a month's share is what grew since the month before."""
    names = ("destination", "vm", "month", "wall", "cpu", "network_in", "network_out", "key_fields")
    rows = connection.execute(
        select(*[record.c[name] for name in names])
        .where(record.c.vm.in_(list(vos)))
        .order_by(record.c.destination, record.c.vm, record.c.month)
    )
    sums: Dict[_Key, _Grown] = {}
    of: Optional[Tuple[str, int]] = None
    before = (0, 0, 0, 0)
    for row in rows:
        if of != (row.destination, row.vm):
            of, before = (row.destination, row.vm), (0, 0, 0, 0)
        now = (row.wall, row.cpu, row.network_in or 0, row.network_out or 0)
        key = _Key(row.destination, row.key_fields.split("\t")[_SITE], vos[row.vm], row.month)
        known = sums.get(key, _Grown(0, 0, 0, 0, 0))
        sums[key] = _Grown._make(
            a + b for a, b in zip(known, (1, *(value - earlier for value, earlier in zip(now, before))))
        )
        before = now
    return sums


def _add(connection: Connection, cloud: str, key: _Key, grown: _Grown) -> None:
    row = {"cloud": cloud, **key._asdict()}
    where = [closing.c[name] == value for name, value in row.items()]
    more = {name: closing.c[name] + value for name, value in grown._asdict().items()}
    if connection.execute(update(closing).where(*where).values(more)).rowcount == 0:
        run_many(connection, _FIRST, [{**row, **grown._asdict()}])


_FIRST = insert(closing)
