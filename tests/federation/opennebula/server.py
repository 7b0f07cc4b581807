"""The HTTP server of the simulated oned, as Abyss is: one request per connection, fifteen places, its own pages."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import socketserver
import struct
import sys
import threading
import time
from typing import Any, Optional

from tests.federation.opennebula.clock import abyss_date
from tests.federation.opennebula.faults import Response
from tests.federation.opennebula.site import Site

PLACES = 15
_VERSION = "1.33.14"
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout"}
_REASONS.update({411: "Length Required", 500: "Internal Server Error"})


class OnedServer(socketserver.ThreadingTCPServer):
    """Serves XML-RPC on 127.0.0.1; who finds no place waits until one is free."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 15
    block_on_close = False

    def __init__(self, port: int, site: Site) -> None:
        self.site = site
        self.places = threading.Semaphore(PLACES)
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a place, then serve in a thread."""
        self.places.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve, and give the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line when a client went away; that is nothing to worry about."""
        kind, error = sys.exc_info()[:2]
        if kind is not None and issubclass(kind, (OSError, EOFError)):
            print(f"connection of {client_address} ended: {error}", file=sys.stderr, flush=True)
        else:
            super().handle_error(request, client_address)


class _Handler(socketserver.StreamRequestHandler):
    server: OnedServer
    wbufsize = 0

    def handle(self) -> None:
        self.connection.settimeout(self.server.site.request_seconds)
        try:
            answer = self._answer()
        except socket.timeout:
            answer = _page(408, "Timed out waiting for client to send its POST data")
        if answer is not None:
            self._send(answer)

    def _answer(self) -> Optional[Response]:
        line = self.rfile.readline(65537)
        if not line:
            return None
        words = line.decode("latin-1").split()
        headers = http.client.parse_headers(self.rfile)
        if len(words) != 3:
            return _page(400, "Bad request line")
        if words[0] != "POST":
            return _page(405, "POST is the only HTTP method this server understands")
        if words[1] != "/RPC2":
            return _page(
                404,
                "This XML-RPC For C/C++ Abyss XML-RPC server responds to only one URI path.  I don't know what URI "
                f"path that is, but it's not the one you requested: '{words[1]}'.  (Typically, it's '/RPC2')",
            )
        length = headers.get("Content-Length", "")
        if not length.isdigit():
            return _page(411, "You must send a content-length HTTP header in an XML-RPC call.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None
        return self.server.site.answer(body)

    def _send(self, answer: Response) -> None:
        if answer.delay > 0:
            time.sleep(answer.delay)
        if answer.drop:
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            return
        # TIMEOUT guards the request alone: who reads slowly is waited for.
        self.connection.settimeout(None)
        if answer.status == 500 and answer.page and not answer.page.startswith("<"):
            answer = _page(500, answer.page)
        kind = "text/xml; charset=utf-8" if answer.status == 200 and not answer.page else "text/html"
        body = answer.page.encode() if answer.page else answer.body
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}", f"Content-type: {kind}"]
        if kind.startswith("text/xml"):
            lines.append(f"Content-length: {len(body) if answer.length is None else answer.length}")
        instant = self.server.site.clock.now() + answer.date_shift
        lines += ["Connection: close", f"Date: {abyss_date(instant)}", f"Server: Xmlrpc-c_Abyss/{_VERSION}", "", ""]
        self.wfile.write("\r\n".join(lines).encode("latin-1"))
        if answer.chunk:
            stream = io.BytesIO(body)
            for part in iter(lambda: stream.read(answer.chunk), b""):
                time.sleep(answer.pause)
                self.wfile.write(part)
        else:
            self.wfile.write(body)
        if answer.status != 200:
            self._drain()

    def _drain(self) -> None:
        """Read what the client still sends: to close on unread bytes would reset the answer away."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(0.5)
            for _ in range(64):
                if not self.connection.recv(65536):
                    break


def _reason(status: int) -> str:
    return _REASONS.get(status) or http.client.responses.get(status, "Error")


def _page(status: int, text: str) -> Response:
    """Return an error page of Abyss."""
    about = '<a href="http://xmlrpc-c.sourceforge.net">ABYSS Web Server for XML-RPC For C/C++</a>'
    return Response(
        status,
        b"",
        page=f"<HTML><HEAD><TITLE>Error {status}</TITLE></HEAD><BODY><H1>Error {status}</H1><P>{text}</P>"
        f"<p><HR><b><i>{about}</i></b> version {_VERSION}<br></p></BODY></HTML>",
    )
