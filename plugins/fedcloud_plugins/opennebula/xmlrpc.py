"""XML-RPC as oned speaks it: how a call is written, and what its short answers and refusals mean.

Every call has the session as its first argument, and every answer is an array: whether it went well, the value or the
reason, a code. Later releases append to that array, so it is indexed and never taken apart as a whole.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import List, Union
from xml.sax.saxutils import escape

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, RemoteDataError, UnreachableError

Argument = Union[str, int, bool]

AUTHENTICATION = 0x100
AUTHORIZATION = 0x200
NO_EXISTS = 0x400
INTERNAL = 0x2000
REPLICATION = 0x10000

NOT_ENCODABLE = -500
"""oned has an answer that its library cannot write: some machine in it holds a character that no answer may hold."""
UNKNOWN_METHOD = -506

_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]")
_START = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<methodResponse[\s/>]")
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})


class FaultError(RemoteDataError):
    """oned did not come to execute the call; ``code`` is that of its XML-RPC library."""

    def __init__(self, place: str, code: int, text: str) -> None:
        hint = None
        if code == NOT_ENCODABLE:
            hint = "something in it has a character beyond U+FFFF, such as an emoji, in its name or attributes; edit it"
        super().__init__(f"{place} answered fault {code}: {text[:300]}", hint=hint)
        self.code = code


class AbsentError(RemoteDataError):
    """oned says that there is no such object."""


class LoginRefusedError(RefusedError):
    """oned does not take the session: unknown, disabled, wrong secret, or a token that has ended."""


def sendable(text: str) -> bool:
    """Tell whether oned takes this text: it breaks on control characters and on those beyond U+FFFF."""
    return _UNSENDABLE.search(text) is None


def request(method: str, *arguments: Argument) -> bytes:
    """Return the body of a call, in ASCII. Raises ConfigurationError for text that oned cannot be sent."""
    written: List[str] = []
    for argument in arguments:
        if isinstance(argument, bool):
            kind, text = "boolean", str(int(argument))
        elif isinstance(argument, int):
            kind, text = "int", str(argument)
        elif sendable(argument):
            # a line break of ours stays what it is only as a reference
            kind, text = "string", escape(argument, {"\r": "&#13;"})
        else:
            # its words may be a secret, and are not told
            raise ConfigurationError(
                f"an argument of {method} holds a control character or one beyond U+FFFF, which oned does not take"
            )
        written.append(f"<param><value><{kind}>{text}</{kind}></value></param>")
    head = f'<?xml version="1.0"?><methodCall><methodName>{method}</methodName><params>'
    return f"{head}{''.join(written)}</params></methodCall>".encode("ascii", "xmlcharrefreplace")


def read_envelope(body: bytes, place: str) -> str:
    """Return the value of a whole short answer, as text. Raises what a refusal or a fault means.

    ``place`` names the endpoint and the method in errors.
    """
    if not _START.match(body):
        said = " ".join(re.sub(r"<[^>]*>", " ", body[:400].decode("utf-8", "replace")).split())
        raise RemoteDataError(
            f"{place} answered no XML-RPC: {said[:200]!r}",
            hint="is 'endpoint' right (usually http://HOST:2633/RPC2)? is a login page or a proxy between us and oned?",
        )
    try:
        # what begins with methodResponse has no document type, and so no entities
        root = ET.fromstring(body.translate(None, _CONTROLS).decode("utf-8", "replace"))  # noqa: S314
    except ET.ParseError as error:
        raise RemoteDataError(f"{place} answered XML that cannot be read: {error}") from error
    fault = root.find("fault")
    if fault is not None:
        members = {m.findtext("name"): m.find("value") for m in fault.iter("member")}
        code = _integer(members.get("faultCode"))
        raise FaultError(place, 0 if code is None else code, _text(members.get("faultString")))
    values = root.findall("params/param/value/array/data/value")
    if len(values) < 2 or values[0].find("boolean") is None:
        raise RemoteDataError(f"{place} answered something else than an array of success, value and code")
    if values[0].findtext("boolean", "").strip() == "1":
        return _text(values[1])
    code = _integer(values[2]) if len(values) > 2 else None
    raise refusal(place, code or 0, _text(values[1]))


def refusal(place: str, code: int, text: str) -> AgentError:
    """Return what oned's code for a call that did not go well means."""
    said = f"{place} answered {code:#x}: {' '.join(text.split())[:300]}"
    if code == AUTHENTICATION:
        return LoginRefusedError(
            said, hint="wrong secret, unknown or disabled account, or an expired token: oned does not say which"
        )
    if code == AUTHORIZATION:
        return RefusedError(said, hint="check the rights of the account (oneacl list, oneuser show)")
    if code == NO_EXISTS:
        return AbsentError(said)
    if code in (INTERNAL, REPLICATION):
        # its database failed, or its fellows have no leader at the moment
        return UnreachableError(said, hint="if it lasts, look into oned.log")
    return RemoteDataError(said)


def _text(value: Union[ET.Element, None]) -> str:
    if value is None:
        return ""
    inner = next(iter(value), None)
    return (value.text if inner is None else inner.text) or ""


def _integer(value: Union[ET.Element, None]) -> Union[int, None]:
    try:
        return int(_text(value))
    except ValueError:
        return None
