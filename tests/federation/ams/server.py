"""The two HTTPS servers of the simulated service: at one port messages, at the other tokens for certificates."""

from __future__ import annotations

import calendar
import email.utils
import hashlib
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from tests.federation.ams.faults import Faults
from tests.federation.ams.service import Service, empaids

_SHORT = {"domainComponent": "DC", "commonName": "CN"}


class Diary:
    """Every request and what became of it, one JSON object in a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, **facts: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(facts) + "\n")
            self._file.flush()


class Server(ThreadingHTTPServer):
    """One port. ``authority`` is set where clients must show a certificate; ``clock`` a file that says what time it is
    (``YYYY-MM-DD hh:mm:ss``, UTC), if it exists."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        port: int,
        service: Service,
        faults: Faults,
        diary: Diary,
        credential: Tuple[Path, Path],
        authority: Optional[Path],
        clock: Optional[Path],
    ) -> None:
        self.service, self.faults, self.diary, self.clock = service, faults, diary, clock
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*credential)
        self.gives_tokens = authority is not None
        if authority is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cafile=str(authority))
        super().__init__(("127.0.0.1", port), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, then serve it."""
        request.settimeout(60)
        super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line when a client went away; that is nothing to worry about."""
        kind, error = sys.exc_info()[:2]
        if kind is not None and issubclass(kind, OSError):
            print(f"connection of {client_address} ended: {error}", file=sys.stderr, flush=True)
        else:
            super().handle_error(request, client_address)

    def now(self) -> float:
        """Return the time that this service believes it is."""
        moment = time.time()
        if self.clock is not None and self.clock.exists():
            moment = calendar.timegm(time.strptime(self.clock.read_text().strip(), "%Y-%m-%d %H:%M:%S"))
        return moment + self.faults.shift()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        on = self._kind(size)
        fault = self.server.faults.find(on, size)
        act = fault["act"] if fault else ""
        if act == "deaf" or (fault is not None and fault.get("early")):
            self._note(on, size, b"", act)
            if fault is not None and act == "status":
                self._faulty(fault)
            self._hang_up()
            return
        body = self.rfile.read(size) if size else b""
        if act == "cut":
            self._note(on, size, body, act)
            self._hang_up()
        elif fault is not None and act in ("status", "odd"):
            self._note(on, size, body, act)
            self._faulty(fault)
        else:
            status, document = self._answer(body)
            self._note(on, size, body, act, status)
            if act == "take and cut":
                self._hang_up()
                return
            if act == "slow" and fault is not None:
                time.sleep(float(fault["seconds"]))
            self._send(status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(document).encode())

    do_GET = do_POST = do_PUT = _serve  # noqa: N815

    def _answer(self, body: bytes) -> Tuple[int, Mapping[str, Any]]:
        if self.server.gives_tokens:
            return self.server.service.give_token(self.path, self._dn())
        return self.server.service.answer(self.command, self.path, self.headers.get("x-api-key"), body)

    def _kind(self, size: int) -> str:
        if self.server.gives_tokens:
            return "token"
        if self.path.endswith(":publish"):
            return "publish" if size > 40 else "knock"
        return self.path.rpartition(":")[2]

    def _dn(self) -> Optional[str]:
        shown = self.connection.getpeercert()  # type: ignore[attr-defined]
        parts = [pair for group in shown.get("subject", ()) for pair in group]
        return "".join(f"/{_SHORT.get(name, name)}={value}" for name, value in parts)

    def _faulty(self, fault: Mapping[str, Any]) -> None:
        status = int(fault.get("status", 200))
        page = f"<html><head><title>{status}</title></head><body><h1>{status} Proxy says no</h1></body></html>"
        headers = {"Content-Type": str(fault.get("type", "text/html"))}
        if "retry_after" in fault:
            headers["Retry-After"] = str(fault["retry_after"])
        self._send(status, headers, str(fault.get("body", page)).encode())

    def _send(self, status: int, headers: Dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _note(self, on: str, size: int, body: bytes, act: str, status: int = 0) -> None:
        named = empaids(body) if on == "publish" else ()
        digest = hashlib.sha256(body).hexdigest()
        self.server.diary.note(on=on, size=size, status=status, act=act, empaids=named, sha256=digest)

    def date_time_string(self, timestamp: Optional[float] = None) -> str:
        """Return the Date header by the service's own clock."""
        return email.utils.formatdate(self.server.now(), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: requests stand in the diary."""
