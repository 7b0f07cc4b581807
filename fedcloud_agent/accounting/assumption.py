"""What a former tool is taken to have reported of machines under the names that we go on with (first_run: continue).

Its records are at the repository and not in our ledger. The repository counts our first month of such a machine from
its last record before; that is taken to hold all that the machine had used when the month began.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Optional, Sequence

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import Usage
from fedcloud_agent.accounting.life import Life, wall
from fedcloud_agent.accounting.making import life_of
from fedcloud_agent.accounting.settings import CONTINUE
from fedcloud_agent.accounting.tables import record, stream, vm
from fedcloud_agent.clock import month_start


class Assumption(NamedTuple):
    """What of the cumulative values of a machine's first record, of ``month``, was reported before."""

    destination: str
    vm: int
    cloud: str
    vo: str
    month: int
    wall: int
    cpu: int


def reported_before(life: Life, month: int, ran: int, cpu: int) -> Usage:
    """Return what was reported before ``month`` of a machine whose first record, of that month, says ``ran``, ``cpu``.

    Of CPU time the share of the wall time. Network counters are not sent of such machines.
    """
    before = min(wall(life, month_start(month)), ran)
    return Usage(before, cpu * before // ran if ran else 0)


_LIFE = [vm.c[name] for name in ("start", "end", "running", "sizes", "cpu_count")]


def assumptions(connection: Connection, machines: Optional[Sequence[int]] = None) -> Iterator[Assumption]:
    """Yield the assumptions on the machines of these ids, or on all."""
    earlier = record.alias()
    begun = and_(stream.c.cloud == vm.c.cloud, stream.c.destination == record.c.destination)
    query = (
        select(record.c.destination, record.c.vm, vm.c.cloud, vm.c.vo, record.c.month, record.c.wall, record.c.cpu)
        .add_columns(*_LIFE)
        .select_from(record.join(vm, vm.c.id == record.c.vm).join(stream, begun))
        .where(stream.c.policy == CONTINUE, vm.c.start <= stream.c.since)
        .where(
            ~select(earlier.c.vm)
            .where(
                earlier.c.destination == record.c.destination,
                earlier.c.vm == record.c.vm,
                earlier.c.month < record.c.month,
            )
            .exists()
        )
    )
    if machines is not None:
        query = query.where(record.c.vm.in_(machines))
    for row in connection.execute(query):
        one = _assumption(row)
        if one.wall:
            yield one


def _assumption(row: Any) -> Assumption:
    life = life_of(row.start, row.end, row.running, row.sizes, row.cpu_count)
    before = reported_before(life, row.month, row.wall, row.cpu)
    return Assumption(row.destination, row.vm, row.cloud, row.vo, row.month, wall=before.wall or 0, cpu=before.cpu or 0)
