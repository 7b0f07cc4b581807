"""Take messages off the accounting queue: the centre's receiver as the broker sees it."""

from __future__ import annotations

import threading
import time
from typing import Callable, List, Tuple, Union

from tests.federation.central.intake import take
from tests.federation.central.receiver import Receiver, ReceiverDiedError
from tests.federation.central.repository import Repository
from tests.federation.central.wire import Frame, Link

AUTO = "auto"
CLIENT_INDIVIDUAL = "client-individual"
_SUBSCRIPTION = "1"


class Consumer:
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

    def serve(self, stopping: threading.Event, say: Callable[[str, bool], None]) -> None:
        """Take messages in until told to stop; ``say`` is told what happens and whether the subscription stands."""
        turn = 0
        while not stopping.is_set():
            host, port = broker = self.brokers[turn % len(self.brokers)]
            turn += 1
            try:
                with self._connected(broker) as link:
                    say(f"listening to {self.queue} at {host}:{port}", True)
                    self._listen(link, stopping)
            except ReceiverDiedError as error:
                say(f"deaf for {self.deaf_seconds:g} s: {error}", False)
                stopping.wait(self.deaf_seconds)
            except OSError as error:
                say(f"no broker at {host}:{port}: {error}", False)
                stopping.wait(0.3)

    def _connected(self, broker: Tuple[str, int]) -> Link:
        link = Link(broker, self.receiver.certificate, self.receiver.key) if self.tls else Link(broker)
        try:
            subscription = {"destination": self.queue, "id": _SUBSCRIPTION, "ack": self.ack, "receipt": "subscribed"}
            link.send("SUBSCRIBE", subscription)
            link.await_frame("RECEIPT")
        except BaseException:
            link.close()
            raise
        return link

    def _listen(self, link: Link, stopping: threading.Event) -> None:
        while not stopping.is_set():
            frame = link.receive(0.2)
            if frame is None:
                continue
            if frame.command != "MESSAGE":
                raise ConnectionError(f"{frame.command}: {frame.headers.get('message')}")
            try:
                take(self.repository, self.receiver, frame.headers.get("empa-id", "noid"), _text(frame), time.time())
            except ReceiverDiedError:
                self._acknowledge(link, frame)
                raise
            self._acknowledge(link, frame)

    def _acknowledge(self, link: Link, frame: Frame) -> None:
        if self.ack == CLIENT_INDIVIDUAL:
            link.send("ACK", {"message-id": frame.headers["message-id"], "subscription": _SUBSCRIPTION})


def _text(frame: Frame) -> Union[str, bytes]:
    try:
        return frame.body.decode()
    except UnicodeDecodeError:
        return frame.body
