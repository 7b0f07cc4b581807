"""Delivery to a message broker over STOMP: dozens of messages under way, each held until its receipt has come."""

from __future__ import annotations

import logging
from typing import Callable, Iterable, Iterator

from fedcloud_agent.clock import now as wall_clock
from fedcloud_agent.outbox.brokers import Brokers
from fedcloud_agent.outbox.delivery import Delivery
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.link import Manner
from fedcloud_agent.outbox.patience import Patience
from fedcloud_agent.outbox.sealing import Seal
from fedcloud_agent.outbox.settings import StompDestination
from fedcloud_agent.outbox.tls import client_context, parse_address
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, Transport, unnoted

# stomp.py reports with a traceback what we report in words
logging.getLogger("stomp.py").setLevel(logging.CRITICAL)


class StompTransport(Transport):
    """One queue, reached through any of several brokers."""

    def __init__(self, settings: StompDestination, *, now: Callable[[], int] = wall_clock) -> None:
        """Read the certificates; no connection is made yet. Raises ConfigurationError or RefusedError."""
        self._settings = settings
        self._seal = Seal(
            settings.certificate, settings.key, settings.ca_path, settings.encrypt_for, settings.cipher, now
        )
        addresses = [parse_address(url) for url in settings.brokers]
        tls = any(address.tls for address in addresses)
        manner = Manner(
            context=client_context(settings.certificate, settings.key, settings.ca_path) if tls else None,
            ca_path=settings.ca_path,
            connect_timeout=settings.connect_timeout,
            send_timeout=settings.receipt_timeout,
            heartbeat=settings.heartbeat,
        )
        self._brokers = Brokers(addresses, manner, settings.receipt_timeout)

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        """Send messages, up to ``window`` of them under way at once; see :meth:`Transport.deliver`."""
        self._seal.check_validity()
        delivery = Delivery(
            self._brokers,
            self._settings.queue,
            self._seal.wire,
            window=self._settings.window,
            receipt_timeout=self._settings.receipt_timeout,
            patience=Patience(self._settings.give_up_after),
            departing=departing,
        )
        try:
            yield from delivery.run(iter(messages))
        finally:
            delivery.close()

    def ping(self) -> str:
        """Connect as for a delivery and let the broker answer once; nothing is sent to the queue."""
        self._seal.check_validity()
        link = self._brokers.reach(Patience(0))
        try:
            id = new_id()
            link.touch(id)
            self._brokers.await_receipt(link, id)
        finally:
            link.close()
        return str(link.address)
