"""The veil over a recording: which values stay as they are, and what stands in place of all others."""

from __future__ import annotations

import re
from typing import List, Tuple
from urllib.parse import quote, unquote

from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.recording.instants import moved
from fedcloud_agent.recording.pseudonyms import Names
from fedcloud_agent.recording.vocabulary import COMMON, HEADERS

_VERSION = re.compile(r"v?\d{1,2}(?:\.\d{1,3}){0,2}|\d(?:\.\d{1,2}){3}", re.ASCII)
_API = re.compile(r"v\d{1,2}(?:\.\d{1,3})?", re.ASCII)
_NUMBERS = re.compile(
    r"[-+]?\d{1,19}(?:\.\d{1,19})?(?:[eE][-+]?\d{1,3})?"
    r"|-?\d{1,19}(?:,-?\d{1,19}){1,1000}"
    # a flag, and far below it an id, as oned writes them in its rules; letters alone might be a name
    r"|[0-9a-f]|(?=[0-9a-f]*000)[0-9a-f]{4,16}",
    re.ASCII,
)
_STATE = re.compile(r"[A-Za-z][A-Za-z_-]{0,63}", re.ASCII)
_PROSE = re.compile(r"(?<![\w.@/=%-])[A-Za-z']+(?![\w@/=%-])", re.ASCII)
_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]*)")
_PORT = re.compile(r":\d{1,5}$", re.ASCII)
_QUOTED = "~:@!$'()*,;"


class Veil:
    """The rules of one recording. ``shift`` is what is added to every time, in seconds."""

    def __init__(self, names: Names, harmless: Harmless, shift: int = 0) -> None:
        self.names = names
        self.harmless = harmless
        self.shift = shift

    def name(self, name: str) -> str:
        """Return what stands for a key, an element or a parameter: users may choose those, too."""
        return name if name in self.harmless.words or name in HEADERS else self.names.text(name)

    def text(self, value: str) -> str:
        """Return what stands for a value whose name allows nothing."""
        return value if value in self.harmless.words or _API.fullmatch(value) else self.names.text(value)

    def closes(self, name: str) -> bool:
        """Tell whether users write what they like below ``name``."""
        return name in self.harmless.closed

    def is_secret(self, name: str, parent: str) -> bool:
        """Tell whether what stands under ``name`` proves who somebody is."""
        return name in self.harmless.secrets or f"{parent}.{name}" in self.harmless.secrets

    def value(self, name: str, value: str, *, parent: str = "", closed: bool = False) -> str:
        """Return what stands for a text under ``name``; numbers are given as they are written."""
        rules = self.harmless
        if self.is_secret(name, parent):
            return self.names.secret(value)
        if closed:
            return self.text(value)
        if name in rules.numbers and (_NUMBERS.fullmatch(value) or _VERSION.fullmatch(value)):
            return value
        if name in rules.instants:
            then = moved(value, self.shift)
            if then is not None:
                return then
        if name in rules.states and _STATE.fullmatch(value):
            return value
        if name in rules.places:
            return self.place(value)
        if name in rules.prose:
            return self.prose(value)
        return self.text(value)

    def session(self, value: str) -> str:
        """Return what stands for ``user:secret``."""
        user, colon, secret = value.partition(":")
        return self.text(user) + colon + self.names.secret(secret) if colon else self.names.secret(value)

    def prose(self, value: str) -> str:
        """Return a message of which only common words are left, and addresses as :meth:`place` gives them."""
        found: List[str] = []
        at = 0
        for match in _PROSE.finditer(value):
            word = match.group()
            if word.lower() in COMMON or word in self.harmless.words:
                found += (self.names.text(value[at : match.start()]), word)
                at = match.end()
        return "".join([*found, self.names.text(value[at:])])

    def place(self, value: str) -> str:
        """Return what stands for a URL or a path: each segment and parameter by itself, as they stand elsewhere."""
        origin = _ORIGIN.match(value)
        start = ""
        if origin is not None:
            start, value = self.origin(origin.group()), value[origin.end() :]
        path, mark, query = value.partition("?")
        path = "/".join(self._segment(segment) for segment in path.split("/"))
        if mark:
            query = "&".join(self._parameter(one) for one in query.split("&"))
        return start + path + mark + query

    def origin(self, value: str) -> str:
        """Return what stands for scheme, host and port; a port says nothing."""
        scheme, _, rest = value.partition("://")
        login, at, host = rest.rpartition("@")
        port = _PORT.search(host)
        host = host[: port.start()] if port else host
        return (
            f"{scheme}://{self.session(login) if at else ''}{at}{self.names.text(host)}{port.group() if port else ''}"
        )

    def header(self, name: str, value: str) -> str:
        """Return what stands for a header's value."""
        rule = HEADERS.get(name.lower())
        if rule == "keep":
            return value
        if rule == "secret":
            return self.names.secret(value)
        if rule == "place":
            return self.place(value)
        if rule == "instant":
            return moved(value, self.shift) or self.text(value)
        return self.text(value)

    def headers(self, headers: Tuple[Tuple[str, str], ...]) -> List[List[str]]:
        """Return what stands for headers; an unknown one's name may be a secret too."""
        return [
            [name if name.lower() in HEADERS else self.names.text(name), self.header(name, value)]
            for name, value in headers
        ]

    def _segment(self, segment: str) -> str:
        plain = unquote(segment, errors="surrogateescape")
        veiled = self.text(plain)
        return segment if veiled == plain else quote(veiled, safe=_QUOTED, errors="surrogateescape")

    def _parameter(self, one: str) -> str:
        name, equals, value = one.partition("=")
        name = unquote(name)
        plain = unquote(value.replace("+", " "), errors="surrogateescape")
        veiled = self.value(name, plain)
        if veiled != plain:
            value = quote(veiled, safe=_QUOTED, errors="surrogateescape")
        return quote(self.name(name), safe=_QUOTED) + equals + value
