"""Speak STOMP 1.1 over one socket, from one thread: nothing reads while something else writes."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, NamedTuple, Optional, Tuple, Type

_ESCAPES = (("\\n", "\n"), ("\\c", ":"), ("\\\\", "\\"))
_CHUNK = 1 << 16


class Frame(NamedTuple):
    """What the broker said."""

    command: str
    headers: Dict[str, str]
    body: bytes


class Link:
    """A connection to a broker, greeted and answered. Raises OSError when it does not come about or breaks.

    ``certificate`` and ``key`` ask for TLS; the broker's own certificate is not looked at, as the centre does not.
    """

    def __init__(
        self, address: Tuple[str, int], certificate: Optional[Path] = None, key: Optional[Path] = None
    ) -> None:
        self._received = bytearray()
        self._socket = socket.create_connection(address, timeout=10)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                context.load_cert_chain(certificate, key)
                self._socket = context.wrap_socket(self._socket)
            self.send("STOMP", {"accept-version": "1.1", "host": address[0], "heart-beat": "0,0"})
            self.await_frame("CONNECTED")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, command: str, headers: Dict[str, str], body: bytes = b"") -> None:
        """Send one frame."""
        lines = [command, *(f"{key}:{_escaped(value)}" for key, value in headers.items())]
        if body:
            lines.append(f"content-length:{len(body)}")
        self._socket.settimeout(30)
        self._socket.sendall("\n".join(lines).encode() + b"\n\n" + body + b"\0")

    def await_frame(self, command: str, seconds: float = 20) -> Frame:
        """Return the next frame, which must be of this kind."""
        frame = self.receive(seconds)
        if frame is None or frame.command != command:
            raise ConnectionError(f"expected {command}, the broker said {frame}")
        return frame

    def receive(self, seconds: float) -> Optional[Frame]:
        """Return the next frame, or None if none is complete in time."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self._next()
            if frame is not None:
                return frame
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._socket.recv(_CHUNK)
            except socket.timeout:
                return None
            if not data:
                raise ConnectionError("the broker hung up")
            self._received += data

    def _next(self) -> Optional[Frame]:
        while self._received[:1] == b"\n":  # between frames: a heart-beat
            del self._received[:1]
        head_end = self._received.find(b"\n\n")
        if head_end < 0:
            return None
        command, *lines = self._received[:head_end].decode().split("\n")
        headers: Dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(_unescaped(name), _unescaped(value))
        start = head_end + 2
        if "content-length" in headers:
            end = start + int(headers["content-length"])
        else:
            end = self._received.find(b"\0", start)
        if end < start or len(self._received) <= end:
            return None
        body = bytes(self._received[start:end])
        del self._received[: end + 1]
        return Frame(command, headers, body)


def _escaped(value: str) -> str:
    for written, character in reversed(_ESCAPES):
        value = value.replace(character, written)
    return value


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    return "\\".join(part.replace("\\n", "\n").replace("\\c", ":") for part in value.split("\\\\"))
