"""Deliver: pack what waits, hand it to the transport, and settle what the other side answered."""

from __future__ import annotations

import itertools
import logging
import time
from dataclasses import dataclass, field
from typing import Callable, List, NamedTuple, Optional, Sequence

from fedcloud_agent.accounting import packing, republication
from fedcloud_agent.accounting.packing import Limits
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.transport import Outcome, Transport
from fedcloud_agent.store.engine import Store

log = logging.getLogger(__name__)

_SETTLED_TOGETHER = 64
_SETTLED_AFTER = 0.5


@dataclass
class Delivered:
    """What one delivery did."""

    messages: int = 0
    records: int = 0
    refused: List[str] = field(default_factory=list)
    damaged: List[str] = field(default_factory=list)
    """Messages that were found damaged in the queue: they did not leave, and their records were packed anew."""
    republished: int = 0
    """Records that a republication let go out again."""
    split: int = 0
    """Messages that were too large for the other side, and were made anew as two."""
    packed: int = 0
    """Records put into messages."""
    sent_again: int = 0
    """Records of closed months that went out again because another broker had taken them."""
    peer: str = ""
    """Who acknowledged last."""

    @property
    def answered(self) -> int:
        """How many messages left the queue, in whatever way."""
        return self.messages + len(self.refused) + len(self.damaged) + self.split


def pack_all(store: Store, destination: str, limits: Limits, now: Callable[[], int]) -> int:
    """Pack every record that can leave; one message for each transaction. Return how many records."""
    with store.write() as connection:
        at = max(now(), packing.newest_listing(connection))
        packing.take_apart(connection, destination, limits, at)
    total = 0
    while True:
        with store.write() as connection:
            count = packing.pack(connection, destination, limits, at)
        if not count:
            return total
        total += count


def deliver(
    store: Store,
    destination: str,
    transport: Transport,
    limits: Limits,
    preferred: Sequence[str],
    now: Callable[[], int],
    progress: Callable[[int], None] = lambda messages: None,
    done: Optional[Delivered] = None,
) -> Delivered:
    """Send everything that waits for a destination, and what the answers set free meanwhile.

    ``preferred``: the peers of the destination, as outcomes name them. Raises what the transport raises; what was
    acknowledged until then is settled, and counted in ``done`` if that is handed in.
    """
    done = done if done is not None else Delivered()
    way = _Way(store, destination, limits, preferred, now)
    while True:
        with store.write() as connection:
            done.republished += republication.proceed(connection, destination)
        done.packed += pack_all(store, destination, limits, now)
        before, split = done.answered, done.split
        _send_once(way, transport, progress, done)
        with store.read() as connection:
            left = packing.pending(connection, destination) or republication.is_open(connection, destination)
        # a record made while its month was under way leaves now, and so do halves; without progress nothing will
        if not (left or done.split > split) or done.answered == before:
            return done


class _Way(NamedTuple):
    """What is the same for every message on its way to a destination."""

    store: Store
    destination: str
    limits: Limits
    preferred: Sequence[str]
    now: Callable[[], int]


def _send_once(way: _Way, transport: Transport, progress: Callable[[int], None], done: Delivered) -> None:
    held: List[Outcome] = []
    since = time.monotonic()

    def damaged(identity: str) -> None:
        with way.store.write() as connection:
            records = packing.unpack(connection, identity)
        log.error("message %s was damaged in the queue: its %d records are packed anew", identity, records)
        done.damaged.append(identity)

    def departing(ids: Sequence[str]) -> None:
        with way.store.write() as connection:
            queue.note_attempt(connection, ids, way.now())

    try:
        for outcome in transport.deliver(queue.waiting(way.store, way.destination, damaged), departing):
            held.append(outcome)
            if len(held) >= _SETTLED_TOGETHER or time.monotonic() - since > _SETTLED_AFTER:
                _settle(way, held, done)
                held = []
                since = time.monotonic()
                progress(done.messages)
    finally:
        _settle(way, held, done)
        progress(done.messages)


def _settle(way: _Way, outcomes: Sequence[Outcome], done: Delivered) -> None:
    if not outcomes:
        return
    now = way.now()
    with way.store.write() as connection:
        answered = (outcome for outcome in outcomes if outcome.acknowledged)
        for peer, of_peer in itertools.groupby(answered, key=lambda outcome: outcome.peer):
            ids = [outcome.id for outcome in of_peer]
            done.records += packing.settle(connection, ids, peer, now)
            done.messages += len(ids)
            if peer in way.preferred and peer != done.peer:
                # the others were left, in this run or before it, and may be lost with what they took of late
                done.peer = peer
                lost = [other for other in way.preferred if other != peer]
                done.sent_again += packing.send_again(connection, way.destination, lost, now)
        for outcome in outcomes:
            if outcome.acknowledged:
                continue
            at = max(now, packing.newest_listing(connection))
            said = bool(outcome.peer)
            if outcome.too_large and packing.split(
                connection, way.destination, outcome.id, way.limits, at, refused=said
            ):
                log.info("message %s to %s is split: %s", outcome.id, way.destination, outcome.reason)
                done.split += 1
            else:
                packing.refuse(connection, outcome.id, outcome.reason)
                done.refused.append(f"{outcome.id}: {outcome.reason}")
