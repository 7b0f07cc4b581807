"""A body under the veil, whatever it is: JSON, XML or neither; in pieces, so that memory does not grow with it."""

from __future__ import annotations

import codecs
from typing import IO, Iterable, Iterator, List, Optional, Protocol

from fedcloud_agent.recording.json_veil import JsonVeil
from fedcloud_agent.recording.veil import Veil
from fedcloud_agent.recording.xml_veil import XmlVeil

PIECE = 1024 * 1024


class _Reader(Protocol):
    def feed(self, text: str) -> str:
        """Return what can be told by now."""

    def end(self) -> str:
        """Return what is left."""


class _ProseVeil:
    """Anything else: words, line by line."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._rest = ""

    def feed(self, text: str) -> str:
        whole, line_end, self._rest = (self._rest + text).rpartition("\n")
        return self._veil.prose(whole) + line_end

    def end(self) -> str:
        return self._veil.prose(self._rest)


def veiled(pieces: Iterable[bytes], veil: Veil, *, request: bool = False) -> Iterator[bytes]:
    """Yield what may be shown of a body that comes in pieces. Bytes that are no UTF-8 stay what they are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    reader = None
    begin: List[str] = []
    for piece in pieces:
        text = decoder.decode(piece)
        if reader is None:
            begin.append(text)
            reader = _reader_of("".join(begin), veil, request)
            if reader is None:
                continue
            text = "".join(begin)
        yield _encoded(reader.feed(text))
    rest = decoder.decode(b"", final=True)
    if reader is None:
        yield _encoded("".join(begin) + rest)
        return
    yield _encoded(reader.feed(rest) + reader.end())


def _reader_of(text: str, veil: Veil, request: bool) -> Optional[_Reader]:
    """Return how to read a body that begins so; None while it has only blanks."""
    first = text.lstrip("\ufeff \t\r\n")[:1]
    if not first:
        return None
    if first in '{["':
        return JsonVeil(veil)
    return XmlVeil(veil, request=request) if first == "<" else _ProseVeil(veil)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's content."""
    while True:
        piece = file.read(PIECE)
        if not piece:
            return
        yield piece
