"""Forget a destination that a site gave up for good: what waits for it, and what the ledger holds on its behalf."""

from __future__ import annotations

from typing import List, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.tables import closing, record, republication, stream
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.table import message


class Forgotten(NamedTuple):
    """What there was of a destination."""

    messages: int
    records: int


def known_destinations(connection: Connection) -> List[str]:
    """Return the destinations of which the database holds anything, whether they are configured or not."""
    found = {
        name
        for table in (stream, message, closing)
        for name in connection.execute(select(table.c.destination).distinct()).scalars()
    }
    return sorted(found)


def forget(connection: Connection, destination: str) -> Forgotten:
    """Remove everything of a destination but its last identity: what comes under its name later gets greater ones."""
    messages = queue.forget(connection, destination)
    records = connection.execute(delete(record).where(record.c.destination == destination)).rowcount
    for table in (stream, republication, closing):
        connection.execute(delete(table).where(table.c.destination == destination))
    return Forgotten(messages, int(records))
