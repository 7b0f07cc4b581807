"""JSON under the veil: copied byte by byte but for its keys and values, so that what is odd about it stays odd.

It is read as it comes, also where it is cut short, has a key twice or escapes what need not be escaped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import List

from fedcloud_agent.recording.veil import Veil

_TOKEN = re.compile(
    r"(?P<space>[\s,:\]}\[{]+)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,\]}])"
    r"|(?P<constant>true|false|null)(?=[\s,\]}])",
    re.DOTALL | re.ASCII,
)
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)", re.DOTALL)


@dataclass
class _Frame:
    """An open object or array: the key under which it stands, and the one that is being told in it."""

    is_object: bool
    key: str
    closed: bool
    current: str = ""
    awaits_key: bool = True


class JsonVeil:
    """Takes JSON piece by piece, and gives what may be shown of it. Memory: the longest single value."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._rest = ""
        self._frames: List[_Frame] = []

    def feed(self, text: str) -> str:
        """Return what can be told by now."""
        return self._run(text, last=False)

    def end(self) -> str:
        """Return what is left, of a document that may be cut short."""
        return self._run(" ", last=True)[:-1]

    def _run(self, text: str, *, last: bool) -> str:
        data, at = self._rest + text, 0
        found: List[str] = []
        while at < len(data):
            match = _TOKEN.match(data, at)
            if match is None:
                if not last:
                    break
                # the end is cut off, or this is no JSON: nothing of it is known to be harmless
                found.append(self._veil.names.text(data[at:]))
                at = len(data)
                break
            kind, token = match.lastgroup, match.group()
            if kind == "space":
                self._structure(token)
                found.append(token)
            elif kind == "string":
                found.append(self._string(token))
            elif kind == "number":
                found.append(self._number(token))
            else:
                found.append(token)
            at = match.end()
        self._rest = data[at:]
        return "".join(found)

    def _structure(self, token: str) -> None:
        frames = self._frames
        for character in token:
            if character in "{[":
                key = self._key()
                closed = bool(frames and frames[-1].closed) or self._veil.closes(key)
                frames.append(_Frame(character == "{", key, closed))
            elif character in "}]" and frames:
                frames.pop()
            elif character == "," and frames:
                frames[-1].awaits_key = True
            elif character == ":" and frames:
                frames[-1].awaits_key = False

    def _key(self) -> str:
        """Return the key under which a value that comes now stands; those of an array have the array's."""
        if not self._frames:
            return ""
        return self._frames[-1].current if self._frames[-1].is_object else self._frames[-1].key

    def _parent(self) -> str:
        return self._frames[-1].key if self._frames else ""

    def _string(self, token: str) -> str:
        try:
            plain = json.loads(token, strict=False)
        except ValueError:
            return '"' + self._veil.names.text(token[1:-1]) + '"'
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.is_object and frame.awaits_key:
            frame.current = plain
            veiled = self._veil.name(plain)
        else:
            closed = frame is not None and frame.closed
            veiled = self._veil.value(self._key(), plain, parent=self._parent(), closed=closed)
        return token if veiled == plain else _spelt(veiled, token)

    def _number(self, token: str) -> str:
        frame = self._frames[-1] if self._frames else None
        key, parent = self._key(), self._parent()
        if self._veil.is_secret(key, parent):
            return "0.0" if "." in token or "e" in token.lower() else "0"
        closed = frame is not None and frame.closed
        # the e of an exponent is no letter
        mantissa, _, _ = token.lower().partition("e")
        return self._veil.value(key, mantissa, parent=parent, closed=closed) + token[len(mantissa) :]


def _spelt(veiled: str, token: str) -> str:
    """Return a JSON string, escaped as the one that it replaces."""
    if token.isascii():
        spelt = json.dumps(veiled)
    else:
        spelt = json.dumps(veiled, ensure_ascii=False)
        spelt = _LONE.sub(lambda lone: f"\\u{ord(lone.group()):04x}", spelt)
    raw = {json.dumps(c)[1:-1]: c for c in set(token) if c < " "}
    return _ESCAPE.sub(lambda escape: raw.get(escape.group(), escape.group()), spelt) if raw else spelt
