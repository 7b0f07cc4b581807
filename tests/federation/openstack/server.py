"""The HTTP server of the simulated site: keep-alive, one thread per connection, one write per answer."""

from __future__ import annotations

import json
import ssl
import sys
import time
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional, Sequence
from urllib.parse import parse_qsl, urlsplit

from tests.federation.openstack.control import Control
from tests.federation.openstack.site import Site
from tests.federation.openstack.wire import Request, Response, encode

_CONTROL = "/_control/"


class Server(ThreadingHTTPServer):
    """Serves a site on 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, certificate: Optional[Path] = None, key: Optional[Path] = None) -> None:
        self.site = Site(f"{'https' if certificate else 'http'}://127.0.0.1:{port}")
        self.control = Control(self.site)
        self.context: Optional[ssl.SSLContext] = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        super().__init__(("127.0.0.1", port), _Handler)

    def load(self, files: Sequence[Path]) -> None:
        """Carry out the documents in files before the first request."""
        for path in files:
            self.control.run("load", json.loads(path.read_text()))

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, then serve it."""
        if self.context is not None:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line when a client went away; that is nothing to worry about."""
        kind, error = sys.exc_info()[:2]
        if kind is not None and issubclass(kind, (ConnectionError, TimeoutError, ssl.SSLError)):
            print(f"connection of {client_address} ended: {error}", file=sys.stderr, flush=True)
        else:
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300
    server: Server

    def _serve(self) -> None:
        target = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        if target.path.startswith(_CONTROL):
            self._send(self._controlled(target.path[len(_CONTROL) :], body))
            return
        pairs = parse_qsl(target.query, keep_blank_values=True)
        request = Request(self.command, target.path, pairs, self.headers, body)  # type: ignore[arg-type]
        answer = self.server.site.answer(request, self.path)
        if answer.delay > 0:
            time.sleep(answer.delay)
        self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _controlled(self, verb: str, body: bytes) -> Response:
        try:
            result = self.server.control.run(verb, json.loads(body or b"{}"))
        except (LookupError, ValueError, TypeError) as error:
            return Response(400, body=encode({"error": str(error)}))
        return Response(200, body=encode({"result": result}))

    def _send(self, answer: Response) -> None:
        if answer.drop:
            self.close_connection = True
            return
        length = len(answer.body) if answer.length is None else answer.length
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.status != 204:
            lines.append(f"Content-Length: {length}")
        if length != len(answer.body):
            self.close_connection = True
        body = b"" if self.command == "HEAD" else answer.body
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the requests are counted and kept, see the verb ``calls``."""
