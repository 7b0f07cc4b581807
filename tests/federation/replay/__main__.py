"""Serve a recording: ``python -m tests.federation.replay --port 35357 --directory DIR recording.tar.gz``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, List, Tuple

from fedcloud_agent.recording.recorder import SILENT
from tests.federation.replay.tape import Tape

_OWN = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "content-encoding"})


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1. Each host of the recording has a path of its own: ``/0``, ``/1`` ..."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, tape: Tape) -> None:
        self.tape = tape
        self.lock = threading.Lock()
        base = f"http://127.0.0.1:{port}"
        # the longest first, since one may begin as another
        self.moved: List[Tuple[str, str]] = sorted(
            ((origin, f"{base}/{number}") for number, origin in enumerate(tape.origins)),
            key=lambda pair: -len(pair[0]),
        )
        super().__init__(("127.0.0.1", port), _Handler)

    def at_home(self, text: bytes) -> bytes:
        """Return a text in which the addresses of the recording lead here."""
        for origin, home in self.moved:
            text = text.replace(origin.encode(), home.encode())
            text = text.replace(origin.replace("/", "\\/").encode(), home.replace("/", "\\/").encode())
        return text


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace")
        if self.path == "/_missed":
            self._send(200, [], json.dumps(self.server.tape.missed).encode())
            return
        _, number, *rest = self.path.split("/")
        path, _, query = "/".join(["", *rest]).partition("?")
        with self.server.lock:
            origin = self.server.tape.origins[int(number)]
            found = self.server.tape.find(self.command, origin, path, query, dict(self.headers), body)
        if found is None:
            print(f"not in the recording: {self.command} {self.path} {body}", file=sys.stderr, flush=True)
            self._send(418, [("Content-Type", "text/plain")], b"this was not asked when the recording was made")
            return
        exchange, file = found
        if exchange.status is None:
            self.close_connection = True
            if exchange.failure != SILENT:
                self.connection.close()
            return
        headers = [
            (name, self.server.at_home(value.encode("latin-1", "replace")).decode("latin-1"))
            for name, value in exchange.answer_headers
            if name.lower() not in _OWN
        ]
        self._send(exchange.status, headers, self.server.at_home(file.read_bytes()), cut=exchange.failure is not None)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _send(self, status: int, headers: List[Tuple[str, str]], body: bytes, cut: bool = False) -> None:
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", *(f"{n}: {v}" for n, v in headers)]
        if status != 204:
            lines.append(f"Content-Length: {len(body) + cut}")
        self.close_connection = self.close_connection or cut
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.wfile.write(b"" if self.command == "HEAD" else body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent; what was not found is told where it happens."""


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="where bodies are unpacked")
    parser.add_argument("recording", type=Path)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    server = Server(options.port, Tape(options.recording, options.directory))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
