"""What the repository holds of each machine and month, and what it will hold once everything that waits has arrived.

Read from the ledger in order of machine and time, so that a site's whole history needs no memory.
"""

from __future__ import annotations

import json
from typing import Any, Iterator, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import NOTHING, Figures, Keys, Usage, counters, grown, read_figures, read_keys
from fedcloud_agent.accounting.life import Life, wall
from fedcloud_agent.accounting.settings import CONTINUE
from fedcloud_agent.accounting.tables import record, stream, vm
from fedcloud_agent.clock import month_of, month_start
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


_COLUMNS = (
    *(record.c.vm, record.c.month, record.c.key_fields, record.c.figures, record.c.flying, record.c.flying_figures),
    *(record.c.published, record.c.published_figures, record.c.rejected, vm.c.cloud, vm.c.start, vm.c.first_seen),
    message.c.attempted,
)


def frozen_before(now: int, tidied: int) -> int:
    """Return the month before which a month keeps the key fields that it was published with.

    ``tidied``: see :class:`fedcloud_agent.accounting.packing.Limits`.
    """
    return month_of(now - tidied)


def key_fields_then(row: Any, frozen: int) -> str:
    """Return the key fields under which the newest record of a row will arrive, or has arrived.

    What has left may be there by then, what never left is judged anew when it leaves (see :mod:`packing`).
    """
    first = row.flying if row.attempted is not None else row.published
    return str(first if first is not None and row.month < frozen else row.key_fields)


def machine_months(
    connection: Connection,
    destination: str,
    frozen: int,
    clouds: Sequence[str] = (),
    machine: Optional[int] = None,
    last: Optional[int] = None,
) -> Iterator[MachineMonth]:
    """Yield every machine-month of a destination, by machine and month; of some clouds or one machine if so asked.

    ``frozen``: from :func:`frozen_before`. ``last``: no later month.
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
    for row in connection.execute(query.execution_options(stream_results=True, yield_per=_ROWS)):
        assumed = False
        if row.vm != current:
            current = row.vm
            before = after = NOTHING
            if row.first_seen <= continued.get(row.cloud, -1) and row.start < month_start(row.month):
                before = after = _reported_before(connection, row)
                assumed = True
        now, then = _now(row, before), _then(row, frozen, after)
        before = counters(now.figures) if now else before
        after = counters(then.figures) if then else after
        yield MachineMonth(row.vm, row.cloud, row.month, now, then, assumed)


def _now(row: Any, before: Usage) -> Optional[Held]:
    if row.published is None:
        return None
    # only a record that was acknowledged under an older state of the database lacks its figures: the newest come next
    figures = read_figures(row.published_figures or row.figures)
    return Held(read_keys(row.published), figures, grown(figures, before))


def _then(row: Any, frozen: int, before: Usage) -> Optional[Held]:
    if row.rejected is None:
        keys, text = key_fields_then(row, frozen), row.figures
    elif row.flying is not None:  # a good one is on its way, the newest is not
        keys, text = row.flying, row.flying_figures or row.figures
    elif row.published is not None:
        keys, text = row.published, row.published_figures or row.figures
    else:
        return None
    figures = read_figures(text)
    return Held(read_keys(keys), figures, grown(figures, before))


def _reported_before(connection: Connection, row: Any) -> Usage:
    """Return what a former tool is taken to have reported of a machine before the month of our first record.

    Of CPU time the share of the wall time; network counters were sent by few, and count in full without a record.
    """
    lived = connection.execute(select(vm.c.start, vm.c.end, vm.c.running).where(vm.c.id == row.vm)).one()
    figures = read_figures(row.figures)
    running: Optional[Tuple[Tuple[int, Optional[int]], ...]] = None
    if lived.running:
        running = tuple((begin, stop) for begin, stop in json.loads(lived.running))
    whole = figures.wall or 0
    ran = min(wall(Life(lived.start, lived.end, running, ((lived.start, 1),)), month_start(row.month)), whole)
    return Usage(ran, (figures.cpu or 0) * ran // whole if whole else 0)
