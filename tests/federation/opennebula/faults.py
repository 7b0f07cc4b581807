"""What can go wrong between us and oned: rules that spoil the answers to the methods that they match."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from tests.federation.opennebula.wire import AUTHENTICATION, INTERNAL, escaped, failure, fault, success

KINDS = (
    "html",  # status (502), the page of a proxy
    "truncated",  # keep (0.5), honest (False): part of the body; dishonest: Content-length says the whole
    "empty_body",  # 200 and nothing
    "fault",  # code (-500), text: an XML-RPC Fault instead of the array
    "refused",  # code (0x2000), text: the array of a failure
    "no_leader",  # what a follower says while nobody leads
    "unauthenticated",  # 256: wrong password, or a token that ended
    "no_array",  # a well-formed answer that holds a string where the array should be
    "no_document",  # ok, and a string that is no XML (text)
    "too_large",  # HTTP 500, "Memory block too large"
    "laughs",  # inside (True): a document of entities that grow without end, as the value or as the whole answer
    "bytes",  # raw ("caf\xe9 \x08", sent as latin-1) behind each `find` ("&lt;NAME&gt;")
    "state",  # state (12), lcm (99): a state from the future, for all machines that run
    "shrink",  # keep (0.5): so many of the machines in the pool, the first ones
    "drop",  # the connection closes instead of an answer; reset (True): by a reset
    "silence",  # seconds (60) of nothing, then the connection closes
    "slow",  # seconds before the answer
    "drip",  # chunk (1000) bytes, each after pause (0.1) seconds
    "meanwhile",  # verb, arguments: of the control, carried out just before; the answer itself is right
    "date",  # seconds that the Date header is off
)

_ENTITIES = 30
_VM_END = b"&lt;/VM&gt;"


@dataclass
class Response:
    """An answer of the HTTP server. ``length`` is what Content-length says when that is not the truth."""

    status: int
    body: bytes
    delay: float = 0.0
    length: Optional[int] = None
    drop: bool = False
    reset: bool = False
    chunk: int = 0
    pause: float = 0.0
    date_shift: int = 0
    page: str = ""


@dataclass
class Fault:
    """A rule: methods that match, after ``after`` of them, ``count`` times (None: for ever)."""

    kind: str
    method: str = ""
    count: Optional[int] = 1
    after: int = 0
    details: Dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(KINDS)}")
        self.pattern = re.compile(self.method)

    def matches(self, method: str) -> bool:
        """Tell whether the rule is about this call and due; counts those that it lets pass."""
        if self.count == 0 or self.pattern.search(method) is None:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


def take(rules: List[Fault], method: str) -> Optional[Fault]:
    """Return the first rule for a call, None when it shall pass."""
    return next((rule for rule in rules if rule.matches(method)), None)


def spoil(rule: Fault, method: str, items: int, answer: Callable[[], Response]) -> Response:
    """Return what comes instead of the answer, which is asked for only if it is needed."""
    made = _without(rule, method, items)
    return made if made is not None else _changed(rule, answer())


def _without(rule: Fault, method: str, items: int) -> Optional[Response]:
    kind, given = rule.kind, rule.details
    if kind == "html":
        status = int(given.get("status", 502))
        return Response(status, b"", page=f"<html><head><title>{status}</title></head><body>nginx</body></html>\r\n")
    if kind == "empty_body":
        return Response(200, b"")
    if kind == "fault":
        return Response(200, fault(int(given.get("code", -500)), given.get("text", "Something broke.")))
    if kind == "refused":
        text = f"[{method}] {given.get('text', 'Something broke.')}"
        return Response(200, failure(int(given.get("code", INTERNAL)), text, items))
    if kind == "no_leader":
        text = f"[{method}] Cannot process request, no leader found"
        return Response(200, failure(INTERNAL, text, items))
    if kind == "unauthenticated":
        text = f"[{method}] User couldn't be authenticated, aborting call."
        return Response(200, failure(AUTHENTICATION, text, items))
    if kind == "no_array":
        body = b'<?xml version="1.0"?><methodResponse><params><param><value><string>hello</string></value></param>'
        return Response(200, body + b"</params></methodResponse>")
    if kind == "no_document":
        return Response(200, success(given.get("text", "hello")))
    if kind == "too_large":
        return too_large()
    if kind == "laughs":
        document = _laughs()
        return Response(200, success(document) if given.get("inside", True) else document.encode())
    if kind == "drop":
        return Response(200, b"", drop=True, reset=bool(given.get("reset", True)))
    if kind == "silence":
        return Response(200, b"", delay=float(given.get("seconds", 60)), drop=True)
    return None


def _changed(rule: Fault, real: Response) -> Response:
    kind, given = rule.kind, rule.details
    if kind == "truncated":
        whole = len(real.body)
        real.body = real.body[: int(whole * float(given.get("keep", 0.5)))]
        real.length = None if given.get("honest") else whole
    elif kind == "bytes":
        find = str(given.get("find", "&lt;NAME&gt;")).encode()
        real.body = real.body.replace(find, find + str(given.get("raw", "caf\xe9 \x08")).encode("latin-1"))
    elif kind == "state":
        shown = escaped("<STATE>%d</STATE><LCM_STATE>%d</LCM_STATE>")
        future = shown % (int(given.get("state", 12)), int(given.get("lcm", 99)))
        real.body = real.body.replace(shown % (3, 3), future)
    elif kind == "shrink":
        machines = real.body.split(_VM_END)
        left = int((len(machines) - 1) * float(given.get("keep", 0.5)))
        real.body = _VM_END.join([*machines[:left], machines[-1]]) if left else real.body
    elif kind == "slow":
        real.delay += float(given["seconds"])
    elif kind == "drip":
        real.chunk, real.pause = int(given.get("chunk", 1000)), float(given.get("pause", 0.1))
    elif kind == "date":
        real.date_shift = int(given["seconds"])
    return real


def too_large() -> Response:
    """Return what xmlrpc-c says when the answer does not fit into its memory block."""
    return Response(500, b"", page="Memory block too large")


def _laughs() -> str:
    rows = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, _ENTITIES)]
    return f'<?xml version="1.0"?><!DOCTYPE VM_POOL [{"".join(rows)}]><VM_POOL>&a{_ENTITIES - 1};</VM_POOL>'
