"""Take messages off the accounting queue: the centre's receiver as the broker sees it."""

from __future__ import annotations

import threading
import time
from typing import Any, List, Optional, Tuple

import stomp

from tests.federation.central.intake import take
from tests.federation.central.receiver import Receiver, ReceiverDiedError
from tests.federation.central.repository import Repository

AUTO = "auto"
CLIENT_INDIVIDUAL = "client-individual"
_SUBSCRIPTION = "1"
_RECEIPT = "subscribed"


class Consumer(stomp.ConnectionListener):  # type: ignore[misc]
    """A subscriber that comes back when the broker does.

    With ``ack`` AUTO, as the centre has it, what was on its way to a receiver that ends is lost; with CLIENT_INDIVIDUAL
    a message leaves the queue once it is loaded. ``deaf_seconds`` pass after a message that killed the connection.
    """

    def __init__(
        self,
        repository: Repository,
        receiver: Receiver,
        brokers: List[Tuple[str, int]],
        queue: str,
        *,
        tls: bool = True,
        ack: str = CLIENT_INDIVIDUAL,
        deaf_seconds: float = 600.0,
    ) -> None:
        self.repository = repository
        self.receiver = receiver
        self.brokers = brokers
        self.queue = queue
        self.tls = tls
        self.ack = ack
        self.deaf_seconds = deaf_seconds
        self.subscribed = threading.Event()
        self._connection: Optional[Any] = None
        self._deaf_until = 0.0

    def keep_connected(self) -> bool:
        """Connect and subscribe if need be; return whether the broker has confirmed the subscription."""
        if time.monotonic() < self._deaf_until:
            return False
        if self._connection is None or not self._connection.is_connected():
            self.subscribed.clear()
            self._connect()
        return self.subscribed.wait(10)

    def disconnect(self) -> None:
        """Leave the broker, if there."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_connected():
            connection.disconnect()

    def _connect(self) -> None:
        connection = stomp.Connection11(self.brokers, reconnect_attempts_max=1, timeout=10)
        if self.tls:
            # as the centre's: it shows its certificate and asks for none
            connection.set_ssl(
                for_hosts=self.brokers, cert_file=str(self.receiver.certificate), key_file=str(self.receiver.key)
            )
        connection.set_listener("", self)
        self._connection = connection
        connection.connect(wait=True)
        connection.subscribe(self.queue, _SUBSCRIPTION, ack=self.ack, headers={"receipt": _RECEIPT})

    # ---- what stomp.py calls, from its own thread

    def on_receipt(self, frame: Any) -> None:
        """Note that the subscription stands."""
        if frame.headers.get("receipt-id") == _RECEIPT:
            self.subscribed.set()

    def on_disconnected(self) -> None:
        """Note that there is none any more."""
        self.subscribed.clear()

    def on_message(self, frame: Any) -> None:
        """Take one message in, then let the broker forget it."""
        connection = self._connection
        assert connection is not None
        try:
            take(self.repository, self.receiver, frame.headers.get("empa-id", "noid"), frame.body, time.time())
        except ReceiverDiedError:
            self._deaf_until = time.monotonic() + self.deaf_seconds
        if self.ack == CLIENT_INDIVIDUAL:
            connection.ack(frame.headers["message-id"], _SUBSCRIPTION)
        if time.monotonic() < self._deaf_until:
            self.disconnect()
