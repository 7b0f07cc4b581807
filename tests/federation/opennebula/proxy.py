"""The authenticating proxy of StratusLab: https in front of oned, by password or by client certificate."""

from __future__ import annotations

import base64
import binascii
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

from cryptography import x509

from tests.federation.opennebula.logins import one_line, written
from tests.federation.opennebula.people import User
from tests.federation.opennebula.site import Site


class ProxyServer(ThreadingHTTPServer):
    """Serves /pswd/xmlrpc and /cert/xmlrpc on 127.0.0.1 and tells oned who calls, whatever the session says."""

    daemon_threads = True

    def __init__(
        self, port: int, site: Site, certificate: Path, key: Path, client_authority: Optional[Path] = None
    ) -> None:
        self.site = site
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if client_authority is not None:
            self.context.verify_mode = ssl.CERT_OPTIONAL
            self.context.load_verify_locations(client_authority)
        super().__init__(("127.0.0.1", port), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, then serve it."""
        super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line when a client went away; that is nothing to worry about."""
        kind, error = sys.exc_info()[:2]
        if kind is not None and issubclass(kind, OSError):
            print(f"connection of {client_address} ended: {error}", file=sys.stderr, flush=True)
        else:
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: ProxyServer

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ways = {"/pswd/xmlrpc": self._by_password, "/cert/xmlrpc": self._by_certificate}
        if self.path not in ways:
            self._send(404, b"", "text/plain")
            return
        user = ways[self.path]()
        if user is None:
            self._send(401, b"", "text/plain")
            return
        answer = self.server.site.answer(body, caller=user)
        if answer.page or answer.drop:
            self._send(502, b"<html><body>Bad Gateway</body></html>", "text/html")
            return
        self._send(answer.status, answer.body, "text/xml")

    def _by_password(self) -> Optional[User]:
        kind, _, sealed = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            session = base64.b64decode(sealed, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        with self.server.site.lock:
            return self.server.site.logins.user_of(session)

    def _by_certificate(self) -> Optional[User]:
        data = self.connection.getpeercert(binary_form=True)
        if data is None:
            return None
        name = one_line(x509.load_der_x509_certificate(data).subject)
        site = self.server.site
        with site.lock:
            wanted = written(name, site.profile.since(4, 0))
            for user in site.people.users.values():
                if user.driver == "x509" and user.enabled and wanted in user.password.split("|"):
                    return user
        return None

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="one"')
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the requests are counted by oned."""
