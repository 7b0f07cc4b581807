"""Reading an answer of any size with the memory of one of its elements.

oned puts a document into a string of an XML-RPC envelope, so every markup of it is escaped once more. The envelope is
always the same few lines: it is cut off by searching, the escapes are undone by replacing, both at the speed of C, and
only what remains is parsed. What no XML may hold (control characters of a guest's attributes, bytes of an old latin-1
database) is replaced on the way, since one character must not cost a site its accounting.
"""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ET
from typing import Iterable, Iterator, List, Match

from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.http import CutOffError
from fedcloud_plugins.opennebula.xmlrpc import read_envelope

_OPEN, _CLOSE = b"<string>", b"</string>"
_LARGEST_FRAME = 1024 * 1024
_LONGEST_REFERENCE = 12
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})
_OUTER_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
_INNER_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
_ROOT = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z_]+)[\s/>]")


class GarbledError(RemoteDataError):
    """A whole answer came, but the document in it is none."""


def value_of(pieces: Iterable[bytes], place: str) -> Iterator[bytes]:
    """Yield the string that an answer brings, its escapes undone, and check the envelope around it.

    Raises what a refusal or a fault means, CutOffError when the answer ends too early, RemoteDataError when it is no
    XML-RPC.
    """
    source = iter(pieces)
    head = b""
    for piece in source:
        head += piece
        if _OPEN in head or b"</methodResponse>" in head or len(head) > _LARGEST_FRAME:
            break
    frame, opening, rest = head.partition(_OPEN)
    if not opening or b"<fault>" in frame or b"<boolean>1</boolean>" not in frame:
        yield from _short(head, source, place)
        return
    tail = b""
    ended = False
    for piece in _with_first(rest, source):
        if ended:
            tail += piece
            if len(tail) > _LARGEST_FRAME:
                raise RemoteDataError(f"{place} answered more than a string and a code")
            continue
        tail += piece
        stop = tail.find(b"<")
        if stop >= 0:
            if not _CLOSE.startswith(tail[stop : stop + len(_CLOSE)]):
                raise RemoteDataError(f"{place} answered a string with markup in it that is not escaped")
            ended = len(tail) >= stop + len(_CLOSE)
        else:
            stop = _before_reference(tail)
        if stop:
            yield _unescaped(tail[:stop], place)
            tail = tail[stop:]
    if not ended:
        raise CutOffError(f"{place} broke off its answer in the middle of the value")
    if not tail.rstrip().endswith(b"</methodResponse>"):
        raise CutOffError(f"{place} broke off its answer after the value")
    read_envelope(frame + opening + tail, place)


def _short(head: bytes, source: Iterator[bytes], place: str) -> Iterator[bytes]:
    for piece in source:
        head += piece
        if len(head) > 2 * _LARGEST_FRAME:
            raise RemoteDataError(f"{place} answered something else than an array of success, value and code")
    if head.lstrip().startswith((b"<?xml", b"<methodResponse")) and b"</methodResponse>" not in head:
        raise CutOffError(f"{place} broke off its answer after {len(head)} bytes")
    yield read_envelope(head, place).encode("utf-8")


def _with_first(first: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from source


def _before_reference(data: bytes) -> int:
    """Return how much of ``data`` ends in no unfinished reference."""
    start = data.rfind(b"&", -_LONGEST_REFERENCE)
    return len(data) if start < 0 or b";" in data[start:] else start


def _unescaped(data: bytes, place: str) -> bytes:
    if b"&" not in data:
        return data
    data = data.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"').replace(b"&apos;", b"'")
    if b"&#" in data:
        data = _OUTER_REFERENCE.sub(_character, data)
    if data.count(b"&") != data.count(b"&amp;"):
        raise RemoteDataError(f"{place} answered a string with an entity in it that XML-RPC does not know")
    return data.replace(b"&amp;", b"&")


def _character(match: Match[bytes]) -> bytes:
    number = int(match[1], 16) if match[1] else int(match[2])
    if number == 38:
        return b"&amp;"
    return chr(number).encode("utf-8", "replace") if number <= 0x10FFFF else b"?"


def elements(value: Iterable[bytes], root: str, place: str) -> Iterator[ET.Element]:
    """Yield each element below the root of a document, and forget it.

    Raises RemoteDataError when the document is of another kind, GarbledError when it is not well formed. A document
    type is refused, and with it every entity.
    """
    texts = _clean(value)
    head = ""
    for text in texts:
        head += text
        if _ROOT.match(head) or len(head) > 4096:
            break
    found = _ROOT.match(head)
    if found is None or found[1] != root:
        raise RemoteDataError(f"{place} answered no {root}: {head[:80]!r}")
    builder = ET.TreeBuilder()
    # an element of our own around the document lets us look at what is built before it is complete
    above = builder.start("answer", {})
    parser = ET.XMLParser(target=builder)  # noqa: S314 -- without a document type it resolves nothing
    try:
        parser.feed(head)
        for text in texts:
            yield from _complete(above)
            parser.feed(text)
        parser.close()
    except ET.ParseError as error:
        raise GarbledError(f"{place} answered a {root} that cannot be read: {error}") from error
    yield from _complete(above, last=True)


def _complete(above: ET.Element, *, last: bool = False) -> List[ET.Element]:
    """Take away the elements that are built to their end: all but the last, of which that is known only at the end."""
    pool = above[0] if len(above) else above
    count = len(pool) if last else max(0, len(pool) - 1)
    done = pool[:count]
    del pool[:count]
    return done


def element(value: Iterable[bytes], root: str, place: str) -> ET.Element:
    """Return a document that is one element. Raises as :func:`elements` does."""
    whole = ET.Element(root)
    whole.extend(list(elements(value, root, place)))
    return whole


def _clean(value: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of a document without what no XML may hold."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    for data in value:
        text = rest + decoder.decode(data.translate(None, _CONTROLS))
        start = text.rfind("&", -_LONGEST_REFERENCE)
        cut = len(text) if start < 0 or ";" in text[start:] else start
        rest = text[cut:]
        yield _tidy(text[:cut])
    yield _tidy(rest + decoder.decode(b"", True))


def _tidy(text: str) -> str:
    if "&#" in text:
        text = _INNER_REFERENCE.sub(_kept, text)
    if not text.isascii() and ("\ufffe" in text or "\uffff" in text):
        text = text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return text


def _kept(match: Match[str]) -> str:
    """Return a character reference as it is, or what stands for a character that XML does not have."""
    number = int(match[1], 16) if match[1] else int(match[2])
    allowed = number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0xFFFF < number < 0x110000
    return match[0] if allowed else "\ufffd"
