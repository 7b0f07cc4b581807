"""A socket below stomp.py that two threads can share: stomp.py reads in one thread while we write in another.

An OpenSSL connection must not be read and written at the same instant, and a blocking one would make the writer wait
for the reader. So the socket never blocks, each call to it is made under a lock, and waiting is done beside it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import Optional

from stomp.transport import BaseTransport

_PIECE = 1 << 16
_GLANCE_MS = 1000


class Wire(BaseTransport):  # type: ignore[misc]
    """stomp.py's transport over a connection that was made, verified and set up elsewhere.

    ``failure`` is the first error that ended it, None while it lives or when we closed it ourselves.
    """

    def __init__(self, connection: socket.socket, host: str, send_timeout: float) -> None:
        super().__init__()
        self.vhost = host
        self.current_host_and_port = (host, connection.getpeername()[1])
        self.blocking = True
        self.failure: Optional[OSError] = None
        self._socket = connection
        self._socket.setblocking(False)
        self._send_timeout = send_timeout
        self._touch = threading.Lock()
        self._frame = threading.Lock()
        self._closed = False

    def attempt_connection(self) -> None:
        """Do nothing: the connection is there."""

    def send(self, encoded_frame: bytes) -> None:
        """Write one frame whole. Raises OSError, after which the connection is of no use.

        Why it ended is left to the reading thread, which may still find the other side's last words.
        """
        with self._frame:
            rest = memoryview(encoded_frame)
            deadline = time.monotonic() + self._send_timeout
            while rest:
                try:
                    with self._touch:
                        self._check_open()
                        written = self._socket.send(rest)
                except ssl.SSLWantReadError:
                    self._wait(select.POLLIN, deadline)
                except (ssl.SSLWantWriteError, BlockingIOError):
                    self._wait(select.POLLOUT, deadline)
                else:
                    rest = rest[written:]

    def receive(self) -> bytes:
        """Read what there is, waiting for it; empty when the connection has ended."""
        while True:
            try:
                with self._touch:
                    if self._closed:
                        return b""
                    return self._socket.recv(_PIECE)
            except (ssl.SSLWantReadError, BlockingIOError):
                event = select.POLLIN
            except ssl.SSLWantWriteError:
                event = select.POLLOUT
            except OSError as error:
                self._fail(error)
                return b""
            self._poll(event, _GLANCE_MS)

    def disconnect_socket(self) -> None:
        """End the connection on behalf of stomp.py, which does so when the other side's heart-beats stay away."""
        self._fail(ConnectionAbortedError("it gave no sign of life"))
        self.end()

    def end(self) -> None:
        """End the connection, from any thread; the reading thread notices and closes it."""
        self.running = False
        self._closed = True
        # past the SSL layer: its own shutdown would send from under a thread that reads
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def cleanup(self) -> None:
        """Give the socket back; called by the reading thread as its last act."""
        self._closed = True
        with self._touch, contextlib.suppress(OSError):
            self._socket.close()

    def _check_open(self) -> None:
        if self._closed:
            raise self.failure or ConnectionResetError("the connection was closed")

    def _fail(self, error: OSError) -> None:
        if self.failure is None and not self._closed:
            self.failure = error

    def _wait(self, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            error = ConnectionAbortedError(f"it took no data for {self._send_timeout:g} s")
            self._fail(error)
            self.end()
            raise error
        self._poll(event, min(_GLANCE_MS, int(left * 1000) + 1))

    def _poll(self, event: int, milliseconds: int) -> None:
        waiting = select.poll()
        try:
            waiting.register(self._socket, event)
        except ValueError:
            return  # closed by the other thread in between; the next call finds out
        waiting.poll(milliseconds)
