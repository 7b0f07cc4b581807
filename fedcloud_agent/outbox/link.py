"""One STOMP 1.1 connection to one broker: opened, spoken to, listened to, closed.

What the broker says arrives in a thread of stomp.py and waits here as events, so that whoever delivers reads them in
its own time. A link that ended is thrown away; a new one is opened.
"""

from __future__ import annotations

import contextlib
import queue
import re
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Union

from stomp.listener import ConnectionListener
from stomp.protocol import Protocol11

from fedcloud_agent.errors import AgentError, RefusedError, UnreachableError
from fedcloud_agent.outbox.tls import Address, dial, explain
from fedcloud_agent.outbox.wire import Wire

_NO_RIGHT = re.compile(
    r"not authori[sz]ed|no user for client certificate|access denied|authentication|securityexception"
    r"|password is invalid",
    re.IGNORECASE,
)
_OVERLOADED = re.compile(r"resourceallocation|usage manager|limit reached|is full|no space", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"too (large|big|long)|larger than|max(imum)? [a-z ]*(size|length)|(size|length) [a-z ]*exceed", re.IGNORECASE
)


class Connected(NamedTuple):
    """The broker let us in."""


class Receipt(NamedTuple):
    """The broker has what carries this id."""

    id: str


class Complaint(NamedTuple):
    """An ERROR frame; ``id`` names the frame that it answers, if the broker said so."""

    id: Optional[str]
    text: str

    @property
    def concerns_rights(self) -> bool:
        """Whether it says that we may not, which is no fault of any one message."""
        return _NO_RIGHT.search(self.text) is not None

    @property
    def concerns_broker(self) -> bool:
        """Whether it says that the broker cannot take more now."""
        return _OVERLOADED.search(self.text) is not None

    @property
    def concerns_size(self) -> bool:
        """Whether it says that a message is larger than the broker takes."""
        return _TOO_LARGE.search(self.text) is not None


class Lost(NamedTuple):
    """The connection has ended. Nothing comes after this."""

    error: Optional[OSError]


Event = Union[Connected, Receipt, Complaint, Lost]


@dataclass(frozen=True)
class Manner:
    """How links are opened: what is the same for all brokers of a destination. Times in seconds."""

    context: Optional[ssl.SSLContext]
    ca_path: Path
    connect_timeout: float
    send_timeout: float
    heartbeat: float


class _Ear(ConnectionListener):  # type: ignore[misc]
    def __init__(self, events: queue.SimpleQueue[Event], wire: Wire) -> None:
        self._events = events
        self._wire = wire

    def on_connected(self, frame: Any) -> None:
        self._events.put(Connected())

    def on_receipt(self, frame: Any) -> None:
        self._events.put(Receipt(str(frame.headers.get("receipt-id", ""))))

    def on_error(self, frame: Any) -> None:
        body = frame.body.decode("utf-8", "replace") if isinstance(frame.body, bytes) else str(frame.body or "")
        first = body.strip().splitlines()[:1]
        text = str(frame.headers.get("message") or "") or (first[0] if first else "no reason given")
        self._events.put(Complaint(frame.headers.get("receipt-id"), " ".join(text.split())[:500]))

    def on_disconnected(self) -> None:
        self._events.put(Lost(self._wire.failure))


class Link:
    """An open connection. That it is lost shows as the event Lost, also when it is found out while sending."""

    def __init__(self, address: Address, manner: Manner) -> None:
        """Connect, and wait until the broker lets us in. Raises UnreachableError or RefusedError."""
        self.address = address
        self._manner = manner
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        connection = dial(address, manner.context, manner.ca_path, manner.connect_timeout)
        beat = int(manner.heartbeat * 1000)
        self._wire = Wire(connection, address.host, manner.send_timeout)
        self._protocol = Protocol11(self._wire, heartbeats=(beat, beat))
        self._wire.set_listener("agent", _Ear(self._events, self._wire))
        try:
            self._wire.start()
            self._enter()
        except BaseException:
            self._wire.end()
            raise

    def send(self, destination: str, id: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one message, asking for a receipt under its id."""
        with contextlib.suppress(OSError):
            self._protocol.send(destination, body, headers={**headers, "receipt": id, "empa-id": id})

    def touch(self, id: str) -> None:
        """Make the broker answer with a receipt for ``id``, and change nothing: begin and abort a transaction."""
        with contextlib.suppress(OSError):
            self._protocol.begin(transaction=id)
            self._protocol.abort(transaction=id, headers={"receipt": id})

    def event(self, seconds: float) -> Optional[Event]:
        """Return what comes next from the broker, waiting at most ``seconds``; None when nothing did."""
        try:
            return self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def reason(self, lost: Lost) -> AgentError:
        """Return why a connection ended, in words."""
        if lost.error is None:
            hint = None if self.address.tls else "it may want TLS: stomp+ssl://"
            return UnreachableError(f"the broker {self.address} closed the connection", hint=hint)
        return explain(lost.error, self.address, self._manner.ca_path, self._manner.send_timeout)

    def close(self) -> None:
        """Say goodbye, without waiting for an answer, and end the connection."""
        if self._wire.is_connected():
            with contextlib.suppress(OSError):
                self._protocol.send_frame("DISCONNECT", {})
        self._wire.end()

    def _enter(self) -> None:
        with contextlib.suppress(OSError):
            self._protocol.connect()
        deadline = time.monotonic() + self._manner.connect_timeout
        while True:
            event = self.event(max(deadline - time.monotonic(), 0))
            if isinstance(event, Connected):
                return
            if isinstance(event, Complaint):
                if event.concerns_rights:
                    raise RefusedError(
                        f"the broker {self.address} does not let us in: {event.text}",
                        hint="a new certificate is known to the brokers some hours after its DN was entered in GOCDB",
                    )
                raise UnreachableError(f"the broker {self.address} does not let us in: {event.text}")
            if isinstance(event, Lost):
                raise self.reason(event)
            if event is None and time.monotonic() >= deadline:
                raise UnreachableError(
                    f"the broker {self.address} took the connection and says nothing "
                    f"({self._manner.connect_timeout:g} s)",
                    hint="check that it speaks STOMP on this port",
                )
