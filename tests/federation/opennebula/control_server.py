"""The port on which tests tell the simulator what to be."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.federation.opennebula.control import Control


class ControlServer(ThreadingHTTPServer):
    """Takes the verbs as POST /verb on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, control: Control) -> None:
        self.control = control
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: ControlServer

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            result = self.server.control.run(self.path.strip("/"), json.loads(body or b"{}"))
            status, document = 200, {"result": result}
        except (LookupError, ValueError, TypeError, ElementTree.ParseError) as error:
            status, document = 400, {"error": f"{error}"}
        shown = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(shown)))
        self.end_headers()
        self.wfile.write(shown)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""
