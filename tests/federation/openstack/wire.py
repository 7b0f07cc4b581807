"""Requests and answers, and how each service dresses its bodies, headers and errors."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

Headers = List[Tuple[str, str]]
Pairs = List[Tuple[str, str]]


class Request(NamedTuple):
    """A request: ``path`` without the query, ``query`` decoded, in its order."""

    method: str
    path: str
    query: Pairs
    headers: Mapping[str, str]
    body: bytes

    def first(self, name: str) -> Optional[str]:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)

    def every(self, name: str) -> List[str]:
        """Return all values of a query parameter."""
        return [value for key, value in self.query if key == name]

    def under(self, prefix: str) -> Request:
        """Return the request as the service behind ``prefix`` sees it."""
        return self._replace(path=self.path[len(prefix) :])


@dataclass
class Response:
    """An answer. ``rows`` counts the servers in it, which nova takes its time for.

    ``length`` is what Content-Length says when that is not the truth; ``drop`` closes the connection instead.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    rows: int = 0
    delay: float = 0.0
    length: Optional[int] = None
    drop: bool = False
    date_shift: int = 0


def request_id() -> str:
    """Return an id as OpenStack gives to each request."""
    return f"req-{uuid.uuid4()}"


def encode(document: Any) -> bytes:
    """Return a JSON body."""
    return json.dumps(document).encode()


def decode(body: bytes) -> Any:
    """Return what a JSON body says; None when it says nothing that is JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def keystone_answer(status: int, document: Any = None, extra: Optional[Headers] = None) -> Response:
    """Return an answer of keystone; without a document the body is empty."""
    headers: Headers = [] if document is None else [("Content-Type", "application/json")]
    headers += (extra or []) + [("Vary", "X-Auth-Token"), ("x-openstack-request-id", request_id())]
    return Response(status, headers, b"" if document is None else encode(document))


def keystone_error(status: int, message: str) -> Response:
    """Return an error of keystone."""
    return keystone_answer(
        status, {"error": {"code": status, "message": message, "title": responses.get(status, "Error")}}
    )


def keystone_unauthorized(auth_url: str) -> Response:
    """Return the one answer of keystone to everything that is wrong with a credential."""
    message = "The request you have made requires authentication."
    answer = keystone_error(401, message)
    answer.headers.append(("WWW-Authenticate", f'Keystone uri="{auth_url}"'))
    return answer


def keystone_no_route() -> Response:
    """Return keystone's page for a path that it does not know."""
    body = (
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
        "<p>There is nothing at this address.</p>\n"
    )
    return Response(
        404,
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Vary", "X-Auth-Token"),
            ("x-openstack-request-id", request_id()),
        ],
        body.encode(),
    )


def _nova_ids() -> Headers:
    number = request_id()
    return [("X-Openstack-Request-Id", number), ("X-Compute-Request-Id", number)]


def nova_versions(version: Optional[str]) -> Headers:
    """Return the headers that say the microversion of an answer; none when it never came to one."""
    if version is None:
        return []
    return [
        ("Openstack-Api-Version", f"compute {version}"),
        ("X-Openstack-Nova-Api-Version", version),
        ("Vary", "OpenStack-API-Version"),
        ("Vary", "X-OpenStack-Nova-API-Version"),
    ]


def nova_answer(version: str, document: Any) -> Response:
    """Return an answer of nova; ``document`` may be a body that is rendered already."""
    body = document if isinstance(document, bytes) else encode(document)
    return Response(200, [("Content-Type", "application/json"), *nova_versions(version), *_nova_ids()], body)


def nova_fault(version: Optional[str], status: int, message: str) -> Response:
    """Return an error of nova's own: the name of the fault follows from the status."""
    names = {400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest"}
    names.update({413: "overLimit", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable"})
    document = {names.get(status, "computeFault"): {"code": status, "message": message}}
    headers = [*nova_versions(version), ("Content-Type", "application/json; charset=UTF-8"), *_nova_ids()]
    return Response(status, headers, encode(document))


def nova_crash(version: Optional[str], exception: str) -> Response:
    """Return what nova says when something behind it broke."""
    return nova_fault(version, 500, f"Unexpected API Error. Something behind the API failed.\n<class '{exception}'>")


def nova_unauthorized(auth_url: str) -> Response:
    """Return the answer of the token check in front of nova."""
    message = "The request you have made requires authentication."
    document = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    headers = [("Content-Type", "application/json"), ("Www-Authenticate", f'Keystone uri="{auth_url}"'), *_nova_ids()]
    return Response(401, headers, encode(document))


def plain_error(status: int, message: str, ids: bool = True) -> Response:
    """Return an error as the web framework below nova and glance writes it: message, code and title."""
    reason = responses.get(status, "Error")
    document = {"message": f"{message}<br /><br />\n\n\n", "code": f"{status} {reason}", "title": reason}
    headers: Headers = [("Content-Type", "application/json")]
    if ids:
        headers.append(("X-Openstack-Request-Id", request_id()))
    return Response(status, headers, encode(document))


def nova_plain_error(status: int, message: str) -> Response:
    """Return a framework error with nova's two request ids."""
    answer = plain_error(status, message, ids=False)
    answer.headers += _nova_ids()
    return answer


def glance_answer(document: Any, status: int = 200) -> Response:
    """Return an answer of glance."""
    headers = [("Content-Type", "application/json"), ("X-Openstack-Request-Id", request_id())]
    return Response(status, headers, encode(document))


def glance_unauthorized(auth_url: str) -> Response:
    """Return the answer of the token check in front of glance: no request id, no error object."""
    message = "This server could not verify that you are authorized to access the document you requested."
    answer = plain_error(401, message, ids=False)
    answer.headers.append(("Www-Authenticate", f'Keystone uri="{auth_url}"'))
    return answer
