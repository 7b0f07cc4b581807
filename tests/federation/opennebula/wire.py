"""XML-RPC as xmlrpc-c of oned speaks it: how calls are read, and the very bytes of answers and faults."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any, List, NamedTuple, Sequence, Tuple, Union

_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n'
_ARRAY = b"<params>\r\n<param><value><array><data>\r\n"
_ARRAY_END = b"</data></array></value></param>\r\n</params>\r\n</methodResponse>\r\n"
_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]")

AUTHENTICATION = 0x100
AUTHORIZATION = 0x200
NO_EXISTS = 0x400
ACTION = 0x800
BAD_ARGUMENT = 0x1000
INTERNAL = 0x2000
ALLOCATE = 0x4000


class Call(NamedTuple):
    """A method and its arguments; the first of them is the session."""

    method: str
    arguments: Tuple[Any, ...]


class FaultError(Exception):
    """The call was answered by an XML-RPC Fault."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class RefusedError(Exception):
    """The call was understood and refused: an array whose first item is false."""

    def __init__(self, code: int, text: str, object_id: int = -1) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.object_id = object_id


class TooLargeError(Exception):
    """The answer does not fit into the memory block of xmlrpc-c."""


class I4(int):
    """An integer that came as int or i4 (bool is a type of its own on the wire)."""


class Xml(bytes):
    """A document inside of an answer, escaped already."""


def escaped(text: str) -> bytes:
    """Return text as it stands inside of a string of an answer."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#x0d;")
    return text.encode("utf-8", "surrogatepass")


def read_call(body: bytes) -> Call:
    """Return what a request body asks for. Raises FaultError."""
    found = _BEYOND_BMP.search(body)
    if found is not None:
        end = body.find(b"<", found.start())
        size = (end if end >= 0 else len(body)) - body.rfind(b">", 0, found.start()) - 1
        raise FaultError(-503, "Call XML not a proper XML-RPC call.  " + _beyond_bmp(size))
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        text = str(error).partition(":")[0]
        raise FaultError(-503, f"Call XML not a proper XML-RPC call.  Call is not valid XML.  {text}") from None
    name = root.findtext("methodName")
    if root.tag != "methodCall" or name is None:
        raise FaultError(-503, "Call XML not a proper XML-RPC call.  XML element should be of type <methodCall>")
    values = [param.find("value") for param in root.iterfind("params/param")]
    return Call(name.strip(), tuple(_value(value) for value in values if value is not None))


def _value(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text or ""
    kind, text = element[0].tag, element[0].text or ""
    if kind == "string":
        return text
    if kind in ("int", "i4", "i8"):
        try:
            return I4(text)
        except ValueError:
            raise FaultError(-503, f"Call XML not a proper XML-RPC call.  <{kind}> holds no integer") from None
    if kind == "boolean":
        return text.strip() == "1"
    if kind == "array":
        return [_value(value) for value in element[0].iterfind("data/value")]
    if kind == "double":
        return float(text)
    raise FaultError(-503, f"Call XML not a proper XML-RPC call.  Unknown value type <{kind}>")


_CHECKS = {
    "i": (I4, "integer"),
    "s": (str, "a string"),
    "b": (bool, "boolean"),
    "a": (list, "an array"),
}


def check_arguments(signature: str, arguments: Sequence[Any]) -> List[Any]:
    """Return the arguments that a method takes: surplus ones are ignored, those behind ``[`` may be missing."""
    needed = signature.partition("[")[0]
    letters = signature.replace("[", "")
    for place, letter in enumerate(letters):
        if place >= len(arguments):
            if place < len(needed):
                raise FaultError(-501, "Not enough parameters")
            break
        kind, name = _CHECKS[letter]
        if not isinstance(arguments[place], kind):
            raise FaultError(-501, f"Parameter that is supposed to be {name} is not")
    return list(arguments[: len(letters)])


def success(value: Union[str, int, bool, Xml]) -> bytes:
    """Return the answer to a call that succeeded. Raises FaultError when xmlrpc-c cannot encode it."""
    if isinstance(value, bool):
        return _wrapped(b"<boolean>%d</boolean>" % value)
    if isinstance(value, int):
        return _wrapped(b"<i4>%d</i4>" % value)
    text = value if isinstance(value, bytes) else escaped(value)
    if not text.isascii() and _BEYOND_BMP.search(text) is not None:
        raise FaultError(
            -500,
            "Unexpected error executing code for particular method, detected by Xmlrpc-c method registry code.  "
            "Method did not fail; rather, it did not complete at all.  " + _beyond_bmp(_unescaped(text)),
        )
    return _wrapped(b"<string>", text, b"</string>")


def _wrapped(*shown: bytes) -> bytes:
    before = b"<value><boolean>1</boolean></value>\r\n<value>"
    after = b"</value>\r\n<value><i4>0</i4></value>\r\n"
    return b"".join([_HEAD, _ARRAY, before, *shown, after, _ARRAY_END])


def failure(code: int, text: str, items: int, object_id: int = -1) -> bytes:
    """Return the array of a failed call; how many items it has depends on the version."""
    rows = [
        b"<value><boolean>0</boolean></value>\r\n",
        b"<value><string>" + escaped(text) + b"</string></value>\r\n",
        b"<value><i4>%d</i4></value>\r\n" % code,
        b"<value><i4>%d</i4></value>\r\n" % object_id,
        b"<value><i8>-1</i8></value>\r\n",
    ]
    return _HEAD + _ARRAY + b"".join(rows[:items]) + _ARRAY_END


def fault(code: int, text: str) -> bytes:
    """Return an XML-RPC Fault."""
    members = (
        b"<member><name>faultCode</name>\r\n<value><i4>%d</i4></value></member>\r\n" % code
        + b"<member><name>faultString</name>\r\n<value><string>"
        + escaped(text)
        + b"</string></value></member>\r\n"
    )
    return (
        _HEAD + b"<fault>\r\n<value><struct>\r\n" + members + b"</struct></value>\r\n</fault>\r\n</methodResponse>\r\n"
    )


def _unescaped(text: bytes) -> int:
    return len(text) - 4 * text.count(b"&amp;") - 3 * text.count(b"&lt;") - 3 * text.count(b"&gt;")


def _beyond_bmp(size: int) -> str:
    return (
        f"{size}-byte supposed UTF-8 string is not valid UTF-8.  UTF-8 string contains a character not in the "
        "Basic Multilingual Plane (first byte 0xfffffff0)"
    )
