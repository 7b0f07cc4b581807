"""What the other side has not acknowledged, although it should have: the half of an audit that needs no cloud."""

from __future__ import annotations

from typing import Any, List, Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import republication
from fedcloud_agent.accounting.findings import NAMED, Finding, Findings
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import DAY, month_name, month_of, utc
from fedcloud_agent.outbox import queue


def arrears(
    connection: Connection, destination: str, clouds: Sequence[str], patience: int, now: int, found: Findings
) -> None:
    """Add what is in arrears at one destination, for machines of these clouds.

    ``patience``: for how many seconds a record may wait. What a republication holds up meanwhile is no arrear.
    """
    waits = or_(record.c.pending == 1, record.c.message.is_not(None))
    good = record.c.rejected.is_(None)
    never = and_(good, record.c.published.is_(None), record.c.measured < now - patience)
    _count(connection, "unacknowledged", destination, clouds, never, found)
    under_way = [one for one in republication.open_ones(connection) if one.destination == destination]
    if not under_way:
        closed = and_(good, waits, record.c.published.is_not(None), record.c.month < month_of(now - patience))
        _count(connection, "open", destination, clouds, closed, found)
    for one in under_way:
        if one.begun < now - DAY:
            text = f"begun {utc(one.begun)}, at {month_name(one.month)} with {one.records} records"
            found.add(Finding("republishing", one.selection.cloud, destination, None, text))
    _count(connection, "rejected", destination, clouds, record.c.rejected.is_not(None), found)
    for message in queue.quarantined(connection):
        if message.destination == destination:
            text = f"message {message.id} of {message.records} records: {message.reason}"
            found.add(Finding("quarantined", None, destination, None, text))


def _count(
    connection: Connection, kind: str, destination: str, clouds: Sequence[str], which: Any, found: Findings
) -> None:
    of = (record.c.destination == destination, vm.c.cloud.in_(clouds), which)
    joined = record.join(vm, vm.c.id == record.c.vm)
    number = connection.execute(select(func.count()).select_from(joined).where(*of)).scalar_one()
    rows: List[Any] = list(
        connection.execute(
            select(vm.c.cloud, vm.c.uuid, record.c.month, record.c.rejected)
            .select_from(joined)
            .where(*of)
            .order_by(record.c.month, record.c.vm)
            .limit(NAMED)
        )
    )
    for cloud, uuid, month, reason in rows:
        text = month_name(month) + (f": {reason}" if reason else "")
        found.add(Finding(kind, cloud, destination, uuid, text))
    if number > len(rows):
        found.more(kind, number - len(rows))
