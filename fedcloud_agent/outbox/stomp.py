"""Delivery to a message broker over STOMP: dozens of messages under way, each held until its receipt has come."""

from __future__ import annotations

import logging
from typing import Callable, Iterable, Iterator

from fedcloud_agent.clock import now as wall_clock
from fedcloud_agent.outbox.brokers import Brokers
from fedcloud_agent.outbox.delivery import Delivery
from fedcloud_agent.outbox.identity import is_id, new_id
from fedcloud_agent.outbox.link import Manner
from fedcloud_agent.outbox.patience import Patience
from fedcloud_agent.outbox.settings import StompDestination
from fedcloud_agent.outbox.tls import client_context, parse_address
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, Transport, unnoted
from fedcloud_agent.pki.certificate import load_credential
from fedcloud_agent.pki.receiver import load_receiver
from fedcloud_agent.pki.smime import UnfitError, encrypt, sign

# stomp.py reports with a traceback what we report in words
logging.getLogger("stomp.py").setLevel(logging.CRITICAL)


class StompTransport(Transport):
    """One queue, reached through any of several brokers."""

    def __init__(self, settings: StompDestination, *, now: Callable[[], int] = wall_clock) -> None:
        """Read the certificates; no connection is made yet. Raises ConfigurationError or RefusedError."""
        self._settings = settings
        self._now = now
        self._credential = load_credential(settings.certificate, settings.key)
        self._receiver = None
        if settings.encrypt_for is not None:
            own = self._credential.certificate
            self._receiver = load_receiver(settings.encrypt_for, settings.ca_path, own, now())
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
        self._credential.certificate.check_validity(self._now())
        delivery = Delivery(
            self._brokers,
            self._settings.queue,
            self._seal,
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
        self._credential.certificate.check_validity(self._now())
        link = self._brokers.reach(Patience(0))
        try:
            id = new_id()
            link.touch(id)
            self._brokers.await_receipt(link, id)
        finally:
            link.close()
        return str(link.address)

    def _seal(self, message: Message) -> bytes:
        if not is_id(message.id):
            raise UnfitError(f"its identity {message.id!r} is not of the form 5ba24c88/5ba24c8f0f129d")
        signed = sign(self._credential, message.body)
        return encrypt(signed, self._receiver, self._settings.cipher) if self._receiver else signed
