"""A STOMP server that misbehaves on purpose, in ways that a real broker cannot be made to.

It speaks without TLS, serves each connection in a thread, and remembers every frame that it was sent.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Callable, Dict, List, NamedTuple, Optional

CONNECTED = b"CONNECTED\nversion:1.1\nheart-beat:0,0\n\n\0"


class Frame(NamedTuple):
    """What a client sent."""

    command: str
    headers: Dict[str, str]
    body: bytes
    connection: int
    """Which connection brought it, from 1."""

    @property
    def receipt(self) -> str:
        return self.headers.get("receipt", "")


Script = Callable[[Frame], Optional[bytes]]
"""Answers a frame with bytes (may be empty), or with None: cut the connection."""


def receipt(id: str) -> bytes:
    return f"RECEIPT\nreceipt-id:{id}\n\n\0".encode()


def error(message: str, id: Optional[str] = None) -> bytes:
    lines = ["ERROR", f"message:{message}", *([f"receipt-id:{id}"] if id else [])]
    return "\n".join(lines).encode() + b"\n\n\0"


def orderly(frame: Frame) -> Optional[bytes]:
    """Answer as a broker in good order does."""
    if frame.command in ("STOMP", "CONNECT"):
        return CONNECTED
    return receipt(frame.receipt) if frame.receipt else b""


class OddBroker:
    """Serves until its ``with`` block ends."""

    def __init__(self, script: Script = orderly) -> None:
        self.script = script
        self.frames: List[Frame] = []
        self.connections = 0
        self._open: List[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"stomp://127.0.0.1:{self.port}"

    def sent(self) -> List[Frame]:
        """Return the messages that came, in their order."""
        return [frame for frame in list(self.frames) if frame.command == "SEND"]

    def listen_no_more(self) -> None:
        """Take no new connection; those that are open stay."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> OddBroker:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for connection in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        buffer = b""
        with contextlib.suppress(OSError), connection:
            while True:
                data = connection.recv(1 << 16)
                if not data:
                    return
                buffer += data
                while True:
                    buffer = buffer.lstrip(b"\n")
                    head, separator, rest = buffer.partition(b"\n\n")
                    command, *lines = head.decode().split("\n")
                    headers = {key: value for key, _, value in (line.partition(":") for line in lines)}
                    size = int(headers.get("content-length", rest.find(b"\0")))
                    if not separator or size < 0 or len(rest) <= size:
                        break
                    buffer = rest[size + 1 :]
                    frame = Frame(command, headers, rest[:size], number)
                    self.frames.append(frame)
                    answer = self.script(frame)
                    if answer is None:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    connection.sendall(answer)
