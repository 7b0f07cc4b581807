"""From records to messages and back: what is packed, what is taken apart again or split, what an answer settles.

At the repository the last loaded record of a VM-month wins, so a VM-month is in one unacknowledged message at most, and
its next record waits until that one is acknowledged. Which key fields a record may carry is judged here, when it is
about to leave: what a month was published with, stays once the repository no longer tidies that month.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.record import HEADER, SEPARATOR, with_keys
from fedcloud_agent.accounting.tables import THIS_RECORD, record, scope, vm
from fedcloud_agent.clock import DAY, HOUR, month_of
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.table import QUEUED, message
from fedcloud_agent.outbox.transport import Message
from fedcloud_agent.store.bulk import run_many

TIDIED = 2 * DAY - 12 * HOUR
"""The repository removes outdated sums of the months of the last two days; half a day of that is for its own delays."""

SIGNATURE_SIZE = 4096
RESENT_AFTER_LOSS = 2 * DAY


class Limits(NamedTuple):
    """How large a message may be. ``tidied``: for how long after its end a month may change its key fields."""

    version: str
    records: int
    size: int
    tidied: int = TIDIED


def frozen_before(now: int, tidied: int) -> int:
    """Return the month before which a month keeps the key fields that it was published with.

    ``tidied``: see :class:`Limits`.
    """
    return month_of(now - tidied)


def pack(connection: Connection, destination: str, limits: Limits, now: int) -> int:
    """Pack one message of records that wait, with its rows in this transaction; return how many records it holds."""
    rows = connection.execute(
        select(
            record.c.vm, record.c.month, record.c.measured, record.c.content, record.c.key_fields, record.c.published
        )
        .where(record.c.destination == destination, record.c.pending == 1, record.c.message.is_(None))
        .order_by(record.c.vm, record.c.month)
        .limit(limits.records)
    ).all()
    if not rows:
        return 0
    frozen = frozen_before(now, limits.tidied)
    parts = [HEADER.format(version=limits.version)]
    size = SIGNATURE_SIZE + len(parts[0])
    identity = queue.next_id(connection, destination)
    packed: List[Dict[str, Any]] = []
    for row in rows:
        content, keys = row.content, row.key_fields
        if row.published is not None and row.published != keys and row.month < frozen:
            content, keys = with_keys(content, row.published, row.measured), row.published
        size += len(content) + len(SEPARATOR)
        if size > limits.size and packed:
            break
        parts.extend((content, SEPARATOR))
        packed.append(
            {
                "of_destination": destination,
                "of_vm": row.vm,
                "of_month": row.month,
                "content": content,
                "key_fields": keys,
                "message": identity,
            }
        )
    queue.put(connection, destination, Message(identity, "".join(parts).encode("ascii")), len(packed), now)
    run_many(connection, _PACKED, packed)
    return len(packed)


_PACKED = (
    update(record)
    .where(THIS_RECORD)
    .values(
        content=bindparam("content"),
        key_fields=bindparam("key_fields"),
        flying=bindparam("key_fields"),
        flying_figures=record.c.figures,
        message=bindparam("message"),
        pending=0,
    )
)


def take_apart(
    connection: Connection, destination: str, limits: Limits, now: int, among: Optional[Sequence[str]] = None
) -> int:
    """Take messages apart that must not leave as they are; their records wait again. Return how many messages.

    That is a message of which a record was made anew since, and one with a record whose month is no longer tidied,
    under other key fields than those that the month already shows. Only a message that never left is taken apart: one
    that did may have arrived, so that the month may show its fields by now, and its bytes are sent again as they are.
    ``among``: look at these messages only.
    """
    superseded = record.c.pending == 1
    outlived = and_(
        record.c.month < frozen_before(now, limits.tidied),
        record.c.published.is_not(None),
        record.c.published != record.c.flying,
    )
    query = (
        select(message.c.id)
        .distinct()
        .join(record, record.c.message == message.c.id)
        .where(
            message.c.destination == destination,
            message.c.state == QUEUED,
            message.c.attempted.is_(None),
            or_(superseded, outlived),
        )
    )
    if among is not None:
        query = query.where(message.c.id.in_(among))
    ids = list(connection.execute(query).scalars())
    for identity in ids:
        unpack(connection, identity)
    return len(ids)


def unpack(connection: Connection, identity: str) -> int:
    """Forget a message; its records wait again, to be packed under another identity. Return how many they are."""
    result = connection.execute(
        update(record)
        .where(record.c.message == identity)
        .values(message=None, flying=None, flying_figures=None, pending=case((record.c.rejected.is_(None), 1), else_=0))
    )
    queue.remove(connection, [identity])
    return int(result.rowcount)


def settle(connection: Connection, ids: Sequence[str], peer: str, now: int) -> int:
    """Draw the consequences of messages that ``peer`` acknowledged; return how many records they held."""
    result = connection.execute(
        update(record)
        .where(record.c.message.in_(ids))
        .values(
            published=record.c.flying,
            published_figures=record.c.flying_figures,
            flying=None,
            flying_figures=None,
            message=None,
            acknowledged=now,
            peer=peer,
        )
    )
    queue.remove(connection, ids)
    return int(result.rowcount)


def words_of_refusal(identity: str) -> str:
    """Return how the reason begins for which the records of a refused message are set aside."""
    return f"message {identity} was refused: "


def refused_message(reason: str) -> Optional[str]:
    """Return the message whose refusal set a record aside, or None if the record's own fault did."""
    first, _, rest = reason.partition(" was refused: ")
    return first[len("message ") :] if rest and first.startswith("message ") else None


def refuse(connection: Connection, identity: str, reason: str) -> None:
    """Draw the consequences of a message that was refused for what it is: set aside, its records named."""
    connection.execute(
        update(record)
        .where(record.c.message == identity)
        .values(
            message=None,
            flying=None,
            rejected=case((record.c.pending == 0, words_of_refusal(identity) + reason), else_=record.c.rejected),
            flying_figures=None,
        )
    )
    queue.quarantine(connection, identity, reason)


def split(connection: Connection, destination: str, large: str, limits: Limits, now: int, *, refused: bool) -> bool:
    """Put the records of a message that is too large into two new ones, and tell whether that could be done.

    The halves hold the very records that the message held, under identities of their own: so each of its machine-months
    still is in one unacknowledged message. ``refused``: the other side said no; then none of it has arrived, and a half
    that must not leave as it is goes the way of every message that never left. Otherwise an earlier attempt may have
    arrived, and so may the halves: their bytes stay as they are.
    """
    whole = queue.get(connection, large)
    rows = connection.execute(
        select(record.c.vm, record.c.month).where(record.c.message == large).order_by(record.c.vm, record.c.month)
    ).all()
    header, _, rest = whole.body.decode("ascii").partition("\n")
    contents = rest.split(SEPARATOR)[:-1]
    if len(rows) < 2 or len(contents) != len(rows):
        return False
    middle = len(rows) // 2
    halves = [queue.next_id(connection, destination), queue.next_id(connection, destination)]
    for identity, part in zip(halves, (contents[:middle], contents[middle:])):
        body = "".join([f"{header}\n", *(f"{content}{SEPARATOR}" for content in part)])
        attempted = None if refused else whole.attempted
        queue.put(connection, destination, Message(identity, body.encode("ascii")), len(part), whole.created, attempted)
    last = rows[middle - 1]
    lower = or_(record.c.vm < last.vm, and_(record.c.vm == last.vm, record.c.month <= last.month))
    connection.execute(
        update(record).where(record.c.message == large).values(message=case((lower, halves[0]), else_=halves[1]))
    )
    queue.remove(connection, [large])
    take_apart(connection, destination, limits, now, halves)
    return True


def send_again(connection: Connection, destination: str, lost: Sequence[str], now: int) -> int:
    """Let records go out again that were acknowledged of late by peers that were lost since; return how many.

    A broker's receipt is not the loading of a record. Those of closed months and of machines that have ended would
    never be sent again by themselves. The bytes are the same, so that one that did arrive changes nothing.
    """
    result = connection.execute(
        update(record)
        .where(
            record.c.destination == destination,
            record.c.peer.in_(lost),
            record.c.acknowledged >= now - RESENT_AFTER_LOSS,
            or_(record.c.month < month_of(now), record.c.vm.in_(select(vm.c.id).where(vm.c.due.is_(None)))),
            record.c.message.is_(None),
            record.c.rejected.is_(None),
        )
        .values(pending=1, peer=None)
    )
    return int(result.rowcount)


def newest_listing(connection: Connection) -> int:
    """Return the latest time that any cloud told: whatever our clock says, it is not earlier than that."""
    return int(connection.execute(select(func.max(scope.c.as_of))).scalar() or 0)


def pending(connection: Connection, destination: str) -> int:
    """Return how many records wait to be packed."""
    return int(
        connection.execute(
            select(func.count()).select_from(record).where(record.c.destination == destination, record.c.pending == 1)
        ).scalar_one()
    )
