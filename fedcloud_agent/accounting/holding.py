"""What the repository holds of each machine and month, and what it will hold once everything that waits has arrived.

Read from the ledger in order of machine and time, so that a site's whole history needs no memory.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.assumption import reported_before
from fedcloud_agent.accounting.centre import NOTHING, Figures, Keys, Usage, counters, grown, read_figures, read_keys
from fedcloud_agent.accounting.making import life_of
from fedcloud_agent.accounting.settings import CONTINUE
from fedcloud_agent.accounting.tables import record, stream, vm
from fedcloud_agent.clock import month_start
from fedcloud_agent.outbox.table import message

_ROWS = 500


class Held(NamedTuple):
    """One row of the repository, and what its month shows by it."""

    keys: Keys
    figures: Figures
    usage: Usage


class MachineMonth(NamedTuple):
    """One machine and month at one destination's repository. None: there is no row."""

    machine: int
    cloud: str
    month: int
    now: Optional[Held]
    """By what it acknowledged."""
    then: Optional[Held]
    """Once everything that waits has arrived."""
    assumed: bool
    """A former tool's record comes before this one; it is taken to hold all of the machine's life before the month."""


class _Row(NamedTuple):
    vm: int
    month: int
    key_fields: str
    figures: str
    flying: Optional[str]
    flying_figures: Optional[str]
    published: Optional[str]
    published_figures: Optional[str]
    rejected: Optional[str]
    cloud: str
    start: int
    attempted: Optional[int]


_COLUMNS = (
    *(record.c[name] for name in _Row._fields[:9]),
    *(vm.c.cloud, vm.c.start, message.c.attempted),
)


def _key_fields_then(row: _Row, frozen: int) -> str:
    """Return the key fields under which the newest record of a row will arrive, or has arrived.

    What has left may be there by then, what never left is judged anew when it leaves (see :mod:`packing`).
    """
    first = row.flying if row.attempted is not None else row.published
    return first if first is not None and row.month < frozen else row.key_fields


def machine_months(
    connection: Connection,
    destination: str,
    frozen: int,
    clouds: Sequence[str] = (),
    machine: Optional[int] = None,
    last: Optional[int] = None,
) -> Iterator[MachineMonth]:
    """Yield every machine-month of a destination, by machine and month; of some clouds or one machine if so asked.

    ``frozen``: from :func:`packing.frozen_before`. ``last``: no later month.
    """
    continued = {
        row.cloud: row.since
        for row in connection.execute(
            select(stream.c.cloud, stream.c.since).where(
                stream.c.destination == destination, stream.c.policy == CONTINUE
            )
        )
    }
    query = (
        select(*_COLUMNS)
        .join(vm, vm.c.id == record.c.vm)
        .outerjoin(message, message.c.id == record.c.message)
        .where(record.c.destination == destination)
        .order_by(record.c.vm, record.c.month)
    )
    if clouds:
        query = query.where(vm.c.cloud.in_(clouds))
    if machine is not None:
        query = query.where(record.c.vm == machine)
    if last is not None:
        query = query.where(record.c.month <= last)
    current = -1
    before = after = NOTHING
    # a named tuple is read several times as fast as a row of SQLAlchemy's
    for row in map(_Row._make, connection.execute(query.execution_options(stream_results=True, yield_per=_ROWS))):
        assumed = False
        if row.vm != current:
            current = row.vm
            before = after = NOTHING
            if row.start <= continued.get(row.cloud, -1) and row.start < month_start(row.month):
                before = after = _reported_before(connection, row)
                assumed = True
        shown, coming = _now(row), _then(row, frozen)
        now = then = _held(shown, before)
        if coming == shown and after == before:  # as it is nearly always: nothing waits
            after = before = counters(now.figures) if now else before
        else:
            then = _held(coming, after)
            before = counters(now.figures) if now else before
            after = counters(then.figures) if then else after
        yield MachineMonth(row.vm, row.cloud, row.month, now, then, assumed)


def _held(texts: Optional[Tuple[str, str]], before: Usage) -> Optional[Held]:
    if texts is None:
        return None
    keys, figures = read_keys(texts[0]), read_figures(texts[1])
    return Held(keys, figures, grown(figures, before))


def _now(row: _Row) -> Optional[Tuple[str, str]]:
    """Return the key fields and figures that were acknowledged."""
    if row.published is None:
        return None
    # only what was acknowledged under an older state of the database lacks its figures: the newest come next to them
    return row.published, row.published_figures or row.figures


def _then(row: _Row, frozen: int) -> Optional[Tuple[str, str]]:
    """Return the key fields and figures that will be there once everything has arrived."""
    if row.rejected is None:
        return _key_fields_then(row, frozen), row.figures
    if row.flying is not None:  # a good one is on its way, the newest is not
        return row.flying, row.flying_figures or row.figures
    return _now(row)


def _reported_before(connection: Connection, row: _Row) -> Usage:
    """Return what a former tool is taken to have reported of a machine before the month of our first record."""
    lived = connection.execute(
        select(vm.c.start, vm.c.end, vm.c.running, vm.c.sizes, vm.c.cpu_count).where(vm.c.id == row.vm)
    ).one()
    figures = read_figures(row.figures)
    return reported_before(life_of(*lived), row.month, figures.wall or 0, figures.cpu or 0)
