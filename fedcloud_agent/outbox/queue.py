"""The durable queue: messages enter in the transaction that made them, and leave when they were acknowledged."""

from __future__ import annotations

import hashlib
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.table import QUARANTINED, QUEUED, identity, message
from fedcloud_agent.outbox.transport import Message
from fedcloud_agent.store.engine import Store


class Backlog(NamedTuple):
    """What waits for one destination. ``oldest``: when the oldest waiting message was made."""

    destination: str
    messages: int
    records: int
    oldest: Optional[int]
    quarantined: int


class Quarantined(NamedTuple):
    """A message that the other side refused."""

    id: str
    destination: str
    created: int
    records: int
    reason: str


def next_id(connection: Connection, destination: str) -> str:
    """Return the identity of the next message: greater than every one before, also when the clock went back."""
    last = connection.execute(select(identity.c.last).where(identity.c.destination == destination)).scalar()
    given = new_id(last)
    if last is None:
        connection.execute(insert(identity).values(destination=destination, last=given))
    else:
        connection.execute(update(identity).where(identity.c.destination == destination).values(last=given))
    return given


class Waiting(NamedTuple):
    """A message of the queue. ``attempted``: when it may first have left."""

    body: bytes
    created: int
    attempted: Optional[int]


def put(
    connection: Connection, destination: str, one: Message, records: int, now: int, attempted: Optional[int] = None
) -> None:
    """Add a message; it leaves after every message with a smaller identity."""
    connection.execute(
        insert(message).values(
            id=one.id,
            destination=destination,
            state=QUEUED,
            created=now,
            records=records,
            body=one.body,
            checksum=_checksum(one.body),
            attempted=attempted,
        )
    )


def _checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def get(connection: Connection, id: str) -> Waiting:
    """Return a message of the queue."""
    row = connection.execute(
        select(message.c.body, message.c.created, message.c.attempted).where(message.c.id == id)
    ).one()
    return Waiting(bytes(row.body), row.created, row.attempted)


def waiting(store: Store, destination: str, damaged: Callable[[str], None], page: int = 16) -> Iterator[Message]:
    """Yield the messages that wait for a destination, oldest first, reading a few at a time.

    The database is not held while the caller works; what is added meanwhile is found, too. A message whose body is not
    what was put in is told to ``damaged`` by its identity, and left out: what it stands for has to be made anew.
    """
    after = ""
    while True:
        with store.read() as connection:
            rows = connection.execute(
                select(message.c.id, message.c.body, message.c.checksum)
                .where(message.c.destination == destination, message.c.state == QUEUED, message.c.id > after)
                .order_by(message.c.id)
                .limit(page)
            ).all()
        for row in rows:
            body = bytes(row.body)
            if _checksum(body) == row.checksum:
                yield Message(row.id, body)
            else:
                damaged(row.id)
        if len(rows) < page:
            return
        after = rows[-1].id


def note_attempt(connection: Connection, ids: Sequence[str], now: int) -> None:
    """Write down that messages are about to leave for the first time: from now on they may have arrived."""
    connection.execute(
        update(message).where(message.c.id.in_(ids), message.c.attempted.is_(None)).values(attempted=now)
    )


def remove(connection: Connection, ids: Sequence[str]) -> None:
    """Forget messages that were acknowledged, or whose records go another way."""
    connection.execute(delete(message).where(message.c.id.in_(ids)))


def quarantine(connection: Connection, refused: str, reason: str) -> None:
    """Set a refused message aside, so that the queue goes on; its bytes stay to be looked at."""
    connection.execute(update(message).where(message.c.id == refused).values(state=QUARANTINED, reason=reason))


def quarantined(connection: Connection) -> List[Quarantined]:
    """Return every message that was refused."""
    rows = connection.execute(
        select(message.c.id, message.c.destination, message.c.created, message.c.records, message.c.reason)
        .where(message.c.state == QUARANTINED)
        .order_by(message.c.id)
    )
    return [Quarantined(*row) for row in rows]


def forget(connection: Connection, destination: str) -> int:
    """Remove every message to a destination, and return how many there were. No identity is ever given again."""
    return int(connection.execute(delete(message).where(message.c.destination == destination)).rowcount)


def backlog(connection: Connection) -> List[Backlog]:
    """Return what waits, for each destination that has anything waiting or set aside."""
    rows = connection.execute(
        select(
            message.c.destination,
            message.c.state,
            func.count(),
            func.sum(message.c.records),
            func.min(message.c.created),
        ).group_by(message.c.destination, message.c.state)
    ).all()
    found = {}
    for destination in sorted({row[0] for row in rows}):
        of = {row[1]: row for row in rows if row[0] == destination}
        queued = of.get(QUEUED)
        found[destination] = Backlog(
            destination,
            queued[2] if queued else 0,
            int(queued[3]) if queued else 0,
            queued[4] if queued else None,
            of[QUARANTINED][2] if QUARANTINED in of else 0,
        )
    return list(found.values())
