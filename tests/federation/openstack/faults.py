"""What can go wrong between us and the site: rules that spoil the answers to the requests that they match."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from tests.federation.openstack.wire import (
    Request,
    Response,
    encode,
    glance_unauthorized,
    keystone_error,
    keystone_unauthorized,
    nova_crash,
    nova_fault,
    nova_plain_error,
    nova_unauthorized,
    plain_error,
)

KINDS = (
    "status",  # status, retry_after, message: an error in the shape of the service that is asked
    "html",  # status (502), the page of a proxy
    "truncated",  # keep (0.5), honest (False): part of the body; dishonest: Content-Length says the whole
    "empty_body",  # 200 and nothing
    "empty_list",  # 200 and a well-formed list without rows
    "slow",  # seconds before the answer
    "drop",  # the connection closes instead of an answer
    "redirect",  # location, status (302)
    "huge",  # bytes: a body of that size, well-formed JSON
    "body",  # body: this text instead, as JSON
    "date",  # seconds that the Date header is off
    "expire_tokens",  # all tokens end just before this request: 401 until the next login
    "purge_marker",  # the server that the request names as its marker disappears just before
)


@dataclass
class Fault:
    """A rule: requests whose path and query match, after ``after`` of them, ``count`` times (None: for ever)."""

    kind: str
    path: str = ""
    method: Optional[str] = None
    count: Optional[int] = 1
    after: int = 0
    details: Dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(KINDS)}")
        self.pattern = re.compile(self.path)

    def matches(self, method: str, target: str) -> bool:
        """Tell whether the rule is about this request and due; counts those that it lets pass."""
        if self.count == 0 or (self.method is not None and self.method != method):
            return False
        if self.pattern.search(target) is None:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


class Faults:
    """The rules that are in force; the first that matches a request spoils it."""

    def __init__(self, auth_url: str) -> None:
        self.auth_url = auth_url
        self.rules: List[Fault] = []

    def take(self, method: str, target: str) -> Optional[Fault]:
        """Return the rule for a request, None when it shall pass."""
        return next((rule for rule in self.rules if rule.matches(method, target)), None)

    def spoil(self, fault: Fault, service: str, request: Request, answer: Callable[[], Response]) -> Response:
        """Return what comes instead of the answer, which is asked for only if it is needed."""
        kind, details = fault.kind, fault.details
        if kind == "status":
            return self._error(service, int(details["status"]), details, request)
        if kind == "html":
            status = int(details.get("status", 502))
            page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
            return Response(status, [("Content-Type", "text/html")], page.encode())
        if kind == "drop":
            return Response(200, drop=True)
        if kind == "redirect":
            return Response(int(details.get("status", 302)), [("Location", details["location"])])
        if kind == "body":
            return Response(200, [("Content-Type", "application/json")], str(details["body"]).encode())
        if kind == "huge":
            size = int(details["bytes"])
            return Response(200, [("Content-Type", "application/json")], b'{"servers": "' + b"x" * (size - 15) + b'"}')
        real = answer()
        if kind == "slow":
            real.delay += float(details["seconds"])
        elif kind == "date":
            real.date_shift = int(details["seconds"])
        elif kind == "empty_body":
            real.body = b""
        elif kind == "empty_list":
            real.body = _without_rows(real.body)
        elif kind == "truncated":
            whole = len(real.body)
            real.body = real.body[: int(whole * float(details.get("keep", 0.5)))]
            real.length = None if details.get("honest") else whole
        return real

    def _error(self, service: str, status: int, details: Dict[str, Any], request: Request) -> Response:
        message = details.get("message") or "This is not the answer that you are looking for."
        version = (request.headers.get("OpenStack-API-Version") or "compute 2.1").partition(" ")[2]
        if service == "identity":
            answer = keystone_unauthorized(self.auth_url) if status == 401 else keystone_error(status, message)
        elif service == "image":
            answer = glance_unauthorized(self.auth_url) if status == 401 else plain_error(status, message)
        elif status == 401:
            answer = nova_unauthorized(self.auth_url)
        elif status == 500:
            answer = nova_crash(version, "oslo_db.exception.DBConnectionError")
        elif status == 503:
            answer = nova_plain_error(status, "The server is currently unavailable. Please try again at a later time.")
        else:
            answer = nova_fault(version, status, message)
        if details.get("retry_after") is not None:
            answer.headers.append(("Retry-After", str(details["retry_after"])))
        return answer


def _without_rows(body: bytes) -> bytes:
    document = json.loads(body)
    return encode({key: [] for key, value in document.items() if isinstance(value, list) and not key.endswith("links")})
