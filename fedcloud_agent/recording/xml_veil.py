"""XML under the veil, also such as no parser takes: control characters, bytes that are no UTF-8, a missing end.

An XML-RPC answer holds a document of its own, escaped in a ``string``: that is followed into, piece by piece.
"""

from __future__ import annotations

import html
import re
from typing import List, Match, Optional, Tuple

from fedcloud_agent.recording.veil import Veil

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[^\s<>/!?]+)(?P<rest>[^<>]*?)(?P<empty>/?)>")
_ATTRIBUTE = re.compile(r"([^\s=]+)(\s*=\s*)([\"'])(.*?)\3", re.DOTALL)
_DECLARATION = re.compile(r"<\?xml\s[^<>]*\?>")
_ANGLE = re.compile("[<>]")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_SPECIAL = (_CDATA, "<!--", "<?", "<!")
_ENTITY_TAIL = re.compile(r"&[#\w]{0,10}$")
_REFERENCE = re.compile(r"&(?:#x?[0-9A-Fa-f]+|\w+);")


class XmlVeil:
    """Takes XML piece by piece, and gives what may be shown of it. Memory: the longest single text.

    ``request`` says that this is a call whose first text may be a session.
    """

    def __init__(self, veil: Veil, *, request: bool = False) -> None:
        self._veil = veil
        self._rest = ""
        self._session_due = request and veil.harmless.session
        self._open: List[Tuple[str, bool]] = []
        self._text: List[str] = []
        self._inner: Optional[XmlVeil] = None

    def feed(self, text: str) -> str:
        """Return what can be told by now."""
        return self._run(text, last=False)

    def end(self) -> str:
        """Return what is left, of a document that may be cut short."""
        return self._run("", last=True)

    def _run(self, text: str, *, last: bool) -> str:
        data, at = self._rest + text, 0
        found: List[str] = []
        while at < len(data):
            if data[at] != "<":
                begin = data.find("<", at)
                piece = data[at:] if begin < 0 else data[at:begin]
                if begin < 0 and not last:
                    tail = _ENTITY_TAIL.search(piece)
                    piece = piece[: tail.start()] if tail else piece
                found.append(self._words(piece))
                at += len(piece)
                if begin < 0:
                    break
                continue
            took = self._markup(data, at, found)
            if took == 0:
                if not last:
                    break
                found += (self._flushed(), self._veil.names.text(data[at:]))
                took = len(data) - at
            at += took
        if last:
            found.append(self._flushed())
        self._rest = data[at:]
        return "".join(found)

    def _markup(self, data: str, at: int, found: List[str]) -> int:
        """Tell what begins with ``<`` at ``at``, and return its length; 0 when its end has not come yet."""
        if data.startswith(_CDATA, at):
            end = data.find(_CDATA_END, at)
            if end < 0:
                return 0
            found += (self._flushed(), _CDATA, self._value(data[at + len(_CDATA) : end]), _CDATA_END)
            return end + len(_CDATA_END) - at
        declaration = _DECLARATION.match(data, at)
        if declaration is not None:
            found += (self._flushed(), declaration.group())
            return len(declaration.group())
        tag = _TAG.match(data, at)
        if tag is not None:
            found += (self._flushed(), self._tag(tag.group("close"), tag.group("name"), tag.group("rest")))
            found.append(tag.group("empty") + ">")
            self._nest(tag.group("close"), tag.group("name"), tag.group("empty"))
            return tag.end() - at
        if any(data.startswith(special, at) or special.startswith(data[at:]) for special in _SPECIAL):
            end = data.find(">", at)
            if end < 0:
                return 0
            found += (self._flushed(), "<", self._veil.prose(data[at + 1 : end]), ">")
            return end + 1 - at
        following = _ANGLE.search(data, at + 1)
        if following is None:
            return 0
        # a bare < in a text
        found.append(self._words(data[at : following.start()]))
        return following.start() - at

    def _tag(self, close: str, name: str, rest: str) -> str:
        found, at = ["<", close, self._veil.name(name)], 0
        for attribute in _ATTRIBUTE.finditer(rest):
            found += (self._veil.names.text(rest[at : attribute.start()]), self._attribute(attribute))
            at = attribute.end()
        return "".join([*found, self._veil.names.text(rest[at:])])

    def _attribute(self, match: Match[str]) -> str:
        name, equals, mark, value = match.groups()
        closed = bool(self._open and self._open[-1][1])
        return f"{self._veil.name(name)}{equals}{mark}{self._spelt(name, value, closed)}{mark}"

    def _nest(self, close: str, name: str, empty: str) -> None:
        if close:
            # an end that fits nothing changes nothing
            if any(name == one for one, _ in self._open):
                while self._open.pop()[0] != name:
                    pass
        elif not empty:
            closed = bool(self._open and self._open[-1][1]) or self._veil.closes(name)
            self._open.append((name, closed))

    def _words(self, piece: str) -> str:
        """Take a piece of a text; an inner document is told at once, anything else when its end is seen."""
        if self._inner is None and self._open and self._open[-1][0] == "string":
            so_far = "".join([*self._text, piece])
            if html.unescape(so_far).lstrip().startswith("<"):
                self._inner, self._text = XmlVeil(self._veil), []
                piece = so_far
        if self._inner is not None:
            return _escaped(self._inner.feed(_plain(piece)))
        self._text.append(piece)
        return ""

    def _flushed(self) -> str:
        if self._inner is not None:
            inner, self._inner = self._inner, None
            return _escaped(inner.end())
        text, self._text = "".join(self._text), []
        if not text.strip():
            return text
        name, closed = self._open[-1] if self._open else ("", False)
        return self._spelt(name, text, closed)

    def _spelt(self, name: str, text: str, closed: bool) -> str:
        plain = _plain(text)
        veiled = self._value(plain) if self._open and name == self._open[-1][0] else self._named(name, plain, closed)
        return text if veiled == plain else _escaped(veiled)

    def _value(self, plain: str) -> str:
        name, closed = self._open[-1] if self._open else ("", False)
        return self._named(name, plain, closed)

    def _named(self, name: str, plain: str, closed: bool) -> str:
        if self._session_due and name == "string":
            self._session_due = False
            return self._veil.session(plain)
        stripped = plain.strip()
        if not stripped:
            return plain
        before, after = plain[: plain.index(stripped)], plain[plain.index(stripped) + len(stripped) :]
        parent = self._open[-2][0] if len(self._open) > 1 else ""
        return before + self._veil.value(name, stripped, parent=parent, closed=closed) + after


def _plain(text: str) -> str:
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: Match[str]) -> str:
    reference = match.group()[1:-1]
    if not reference.startswith("#"):
        return html.unescape(match.group())
    try:
        # also those that HTML does not know, such as control characters
        return chr(int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:]))
    except (ValueError, OverflowError, IndexError):
        return match.group()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#x0d;")
