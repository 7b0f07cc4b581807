"""Reads a queue of the broker back, as the accounting repository does: one STOMP subscription, message by message.

It parses frames on its own, so that what is tested is not read by the library that wrote it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Dict, Iterator, List, NamedTuple, Optional

from tests.federation.broker import Broker


class Received(NamedTuple):
    """A message as it lay in the queue."""

    headers: Dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The identity under which it was sent."""
        return self.headers["empa-id"]


class Subscriber:
    """A subscription with acknowledgement by the client: what was returned has left the queue."""

    def __init__(self, broker: Broker, queue: str) -> None:
        context = ssl.create_default_context(cafile=str(broker.authority.certificate))
        context.load_cert_chain(broker.client.certificate, broker.client.key)
        raw = socket.create_connection(("127.0.0.1", broker.port), timeout=30)
        self._socket = raw if broker.plain else context.wrap_socket(raw, server_hostname="localhost")
        self._buffer = b""
        self._send("CONNECT", {"accept-version": "1.1", "host": "localhost"})
        connected = self._frame(30)
        assert connected is not None
        assert connected.headers[""] == "CONNECTED", connected
        self._send("SUBSCRIBE", {"id": "1", "destination": queue, "ack": "client-individual"})

    def messages(self, count: Optional[int] = None, *, idle: float = 1.0, seconds: float = 60) -> List[Received]:
        """Return messages in their order: ``count`` of them, or all until none comes for ``idle`` seconds."""
        return list(self._messages(count, idle, seconds))

    def _messages(self, count: Optional[int], idle: float, seconds: float) -> Iterator[Received]:
        deadline = time.monotonic() + seconds
        taken = 0
        while count is None or taken < count:
            left = deadline - time.monotonic()
            message = self._frame(left if count is not None else min(idle, left))
            if message is None:
                assert count is None, f"{taken} of {count} messages came within {seconds} s"
                return
            assert message.headers[""] == "MESSAGE", message
            self._send("ACK", {"message-id": message.headers["message-id"], "subscription": "1"})
            taken += 1
            yield message

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._send("DISCONNECT", {"receipt": "bye"})
            self._frame(10)
        self._socket.close()

    def _send(self, command: str, headers: Dict[str, str]) -> None:
        lines = [command, *(f"{key}:{value}" for key, value in headers.items())]
        self._socket.sendall("\n".join(lines).encode() + b"\n\n\0")

    def _frame(self, seconds: float) -> Optional[Received]:
        deadline = time.monotonic() + seconds
        while True:
            frame = self._parse()
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(1 << 18)
            except socket.timeout:
                return None
            if not data:
                raise ConnectionResetError("the broker closed the connection")
            self._buffer += data

    def _parse(self) -> Optional[Received]:
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, separator, rest = self._buffer.partition(b"\n\n")
        if not separator:
            return None
        command, *lines = head.decode().split("\n")
        headers = {"": command}
        for line in lines:
            key, _, value = line.partition(":")
            headers.setdefault(key, value.replace("\\c", ":").replace("\\n", "\n").replace("\\\\", "\\"))
        size = int(headers["content-length"]) if "content-length" in headers else rest.find(b"\0")
        if size < 0 or len(rest) <= size:
            return None
        self._buffer = rest[size + 1 :]
        return Received(headers, rest[:size])
