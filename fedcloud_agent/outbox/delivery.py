"""One delivery to a broker: top up, send what is due, listen; after a cut do it again with the same bytes.

Nothing leaves the flight but by a receipt, or by a refusal that concerns the message itself.
"""

from __future__ import annotations

import logging
import time
from typing import Callable, Iterator, Optional

from fedcloud_agent.errors import AgentError, RefusedError, UnreachableError
from fedcloud_agent.outbox.brokers import Brokers
from fedcloud_agent.outbox.flight import Flight
from fedcloud_agent.outbox.link import Complaint, Link, Lost, Receipt
from fedcloud_agent.outbox.patience import Patience
from fedcloud_agent.outbox.transport import REFUSALS_IN_A_ROW, TAKEN_BY_ALL, Departing, Message, Outcome
from fedcloud_agent.pki.smime import UnfitError

log = logging.getLogger(__name__)

DRAWN_TOGETHER = 16
"""So many messages leave at once: that they may have arrived is written down once for all of them."""

_PROBE = "ping"
"""The id of a message that receivers ignore."""
_PROBE_LIFE = 60


class Delivery:
    """The state of one delivery. ``seal`` gives a message's bytes as they travel, or raises UnfitError."""

    def __init__(
        self,
        brokers: Brokers,
        queue: str,
        seal: Callable[[Message], bytes],
        *,
        window: int,
        receipt_timeout: float,
        patience: Patience,
        departing: Departing,
    ) -> None:
        self._departing = departing
        self._brokers = brokers
        self._queue = queue
        self._seal = seal
        self._receipt_timeout = receipt_timeout
        self._patience = patience
        self._flight = Flight(window)
        self._link: Optional[Link] = None
        self._receipts = 0
        self._refusals = 0
        self._complaint = ""

    def run(self, source: Iterator[Message]) -> Iterator[Outcome]:
        """Draw messages from ``source`` and yield their outcomes until all are answered."""
        more = True
        while more or self._flight:
            for _ in range(DRAWN_TOGETHER):
                if not (more and self._flight.has_room()):
                    break
                message = next(source, None)
                if message is None:
                    more = False
                    break
                try:
                    self._flight.add(message.id, self._seal(message))
                except UnfitError as error:
                    yield Outcome(message.id, False, "", str(error))
            if self._flight:
                link = self._send_due()
                yield from self._listen(link, wait=not (more and self._flight.has_room()))

    def close(self) -> None:
        """End the connection; what is unanswered stays the caller's."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _send_due(self) -> Link:
        link = self._link
        if link is None:
            link = self._link = self._brokers.reach(self._patience)
            self._receipts = 0
            self._complaint = ""
        due = self._flight.due()
        first = [message.id for message in due if not message.departed]
        if first:
            self._departing(first)
        for message in due:
            message.departed = True
            message.sent = time.monotonic()
            link.send(self._queue, message.id, message.wire, {"persistent": "true"})
        return link

    def _listen(self, link: Link, *, wait: bool) -> Iterator[Outcome]:
        event = link.event(self._time_left() if wait else 0)
        while event is not None:
            if isinstance(event, Receipt) and self._flight.settle(event.id):
                self._receipts += 1
                self._refusals = 0
                self._patience.progress()
                yield Outcome(event.id, True, str(link.address), "")
            elif isinstance(event, Complaint):
                yield from self._heed(link, event)
            elif isinstance(event, Lost):
                yield from self._recover(link, event)
            if self._link is not link:
                return
            event = link.event(0)
        if self._flight and self._time_left() <= 0:
            self._start_over(
                UnreachableError(
                    f"the broker {link.address} gave no receipt within {self._receipt_timeout:g} s",
                    hint="it may be overloaded, or its store may be full; what was not acknowledged is sent again",
                )
            )

    def _time_left(self) -> float:
        oldest = self._flight.oldest()
        return self._receipt_timeout if oldest is None else oldest + self._receipt_timeout - time.monotonic()

    def _heed(self, link: Link, complaint: Complaint) -> Iterator[Outcome]:
        """Find out whom an ERROR frame concerns: us, the broker, or one message."""
        log.info("the broker %s complains: %s", link.address, complaint.text)
        if complaint.concerns_rights:
            raise RefusedError(
                f"the broker {link.address} does not let us send to {self._queue}: {complaint.text}",
                hint="check that the DN of the host certificate is registered in GOCDB, and the name of the queue",
            )
        if complaint.concerns_broker:
            self._start_over(UnreachableError(f"the broker {link.address} takes no messages now: {complaint.text}"))
            return
        size = self._flight.size(complaint.id or "")
        if complaint.id is None or not self._flight.settle(complaint.id):
            self._complaint = complaint.text  # most likely its last words: the reason for the cut that follows
        else:
            peer = str(link.address)
            outcome = Outcome(complaint.id, False, peer, complaint.text, complaint.concerns_size)
            yield from self._refused(link, outcome, counts=not outcome.too_large or size <= TAKEN_BY_ALL)

    def _recover(self, link: Link, lost: Lost) -> Iterator[Outcome]:
        """After a cut: all is to be sent again, unless one message turns out to be the cause of it."""
        ended = link.reason(lost)
        if self._complaint:
            ended = UnreachableError(f"{ended.message} ({self._complaint})", hint=ended.hint)
        culprit = self._flight.cut()
        self._leave(ended, pass_over=not self._receipts)
        if culprit is None:
            return
        link = self._link = self._brokers.reach(self._patience)
        self._receipts = 0
        words, self._complaint = self._complaint, ""
        if self._takes_a_probe(link):
            self._flight.settle(culprit.id)
            size = len(culprit.wire)
            reason = f"the broker cuts the connection whenever this message of {size} bytes comes"
            # limits of size show as cuts; where it is another fault, halves will show whose
            outcome = Outcome(culprit.id, False, "", reason + (words and f": {words}"), too_large=True)
            yield from self._refused(link, outcome)
        else:
            self._flight.acquit()
            self._leave(UnreachableError(f"the broker {link.address} cuts every connection"), pass_over=True)

    def _start_over(self, reason: AgentError) -> None:
        began = self._flight.oldest()
        self._flight.recall()
        self._leave(reason, pass_over=True, since=began)

    def _leave(self, reason: AgentError, *, pass_over: bool, since: Optional[float] = None) -> None:
        """Give up a connection, and raise ``reason`` when patience is spent."""
        log.debug("%s", reason)
        self.close()
        if pass_over:
            self._brokers.pass_over()
        if not self._patience.failed(since):
            raise reason

    def _refused(self, link: Link, outcome: Outcome, *, counts: bool = True) -> Iterator[Outcome]:
        self._patience.progress()
        self._refusals += counts
        yield outcome
        if self._refusals >= REFUSALS_IN_A_ROW:
            raise RefusedError(
                f"the broker {link.address} refused {self._refusals} messages in a row, the last one because: "
                f"{outcome.reason}",
                hint="so the cause may not lie in them; what was not answered waits for the next run",
            )

    def _takes_a_probe(self, link: Link) -> bool:
        expires = str((int(time.time()) + _PROBE_LIFE) * 1000)
        try:
            link.send(self._queue, _PROBE, b"ping", {"persistent": "true", "expires": expires})
            self._brokers.await_receipt(link, _PROBE)
        except AgentError as error:
            log.info("%s", error)
            return False
        return True
