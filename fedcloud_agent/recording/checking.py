"""Is anything of the site left in a recording? It is walked through as when it was made, but each name is judged.

The second look is for what the first one cannot see: the site's own words, read from its configuration, are searched
for in the bytes, in every spelling that they may have there.
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Set, Type
from urllib.parse import quote

from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.recording.archive import MANIFEST, exchanges
from fedcloud_agent.recording.bodies import pieces_of, veiled
from fedcloud_agent.recording.configured import hidden
from fedcloud_agent.recording.pseudonyms import FOREIGN, KEPT, LOWER, PARTS, SECRET_LENGTH, is_somebodys
from fedcloud_agent.recording.veil import Veil
from fedcloud_agent.recording.vocabulary import COMMON, HEADERS

_VOWEL = re.compile("[aeiouyAEIOUY]")
_SECRET = re.compile(f"[{LOWER}]{{{SECRET_LENGTH}}}|0")
_SHORTEST = 4
MOST = 100
_OURS = "fedcloud-agent keystoneauth1 python-requests urllib3 number request answer exchanges failure seconds machines"


@dataclass(frozen=True)
class Finding:
    """Something that should not be in a recording: in which of its files, what, and why it is suspicious."""

    file: str
    text: str
    reason: str


class Judge:
    """Stands where pseudonyms are made, and tells of each text that is none."""

    def __init__(self) -> None:
        self.findings: List[Finding] = []
        self.file = ""
        self._told: Set[str] = set()

    def text(self, text: str) -> str:
        """Judge every part of a text; returns it unchanged."""
        for part in PARTS.finditer(text):
            if part.lastgroup in KEPT:
                continue
            reason = _suspicion(part.lastgroup or "", part.group())
            if reason:
                self.tell(_around(text, part.start(), part.end()), reason)
        return text

    def secret(self, text: str) -> str:
        """Judge what stands for a secret; returns it unchanged."""
        if text and not _SECRET.fullmatch(text):
            self.tell(text[:4] + "...", "it stands where a secret stood")
        return text

    def tell(self, text: str, reason: str) -> None:
        """Note a finding, once, and a hundred at most."""
        if text not in self._told and len(self.findings) < MOST:
            self._told.add(text)
            self.findings.append(Finding(self.file, text, reason))


def _suspicion(kind: str, part: str) -> Optional[str]:
    somebodys = is_somebodys(part) if kind in ("v4", "v6") else None
    if somebodys is not None:
        return "it is an IP address" if somebodys else None
    if _VOWEL.search(part):
        return "it has a vowel, which no pseudonym has"
    if any(not c.isascii() and unicodedata.category(c)[0] in "LS" and c not in FOREIGN for c in part):
        return "it has a character that no pseudonym has"
    return None


def _around(text: str, begin: int, end: int) -> str:
    """Return a part with what belongs to it: the whole e-mail address, DN or host name."""
    while begin > 0 and not text[begin - 1].isspace():
        begin -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[begin:end][:120]


def check(
    path: Path, manifest: Mapping[str, Any], harmless: Harmless, table: Type[Any], words: Iterable[str]
) -> List[Finding]:
    """Return what is left of a site in a recording, ``words`` being its own. Raises RemoteDataError if it is none."""
    judge = Judge()
    veil = Veil(judge, harmless)
    needles = _spellings(words, harmless)
    for exchange, body in exchanges(path):
        judge.file = f"{exchange.number:06d}.json"
        document = exchange.as_json()
        _search(json.dumps(document, ensure_ascii=False).lower(), needles, judge)
        veil.place(exchange.url)
        veil.headers(tuple((name, value) for name, value in [*exchange.headers, *exchange.answer_headers]))
        for _ in veiled([exchange.body.encode()], veil, request=True):
            pass
        judge.file = f"{exchange.number:06d}.body"
        for _ in veiled(_searched(body, needles, judge), veil):
            pass
    judge.file = MANIFEST
    _search(json.dumps(manifest, ensure_ascii=False).lower(), needles, judge)
    hidden(table, manifest["settings"], veil)
    for error in manifest["errors"]:
        veil.prose(error["said"])
    for content in manifest["files"].values():
        for _ in veiled([content.encode()], veil):
            pass
    return judge.findings


def _spellings(words: Iterable[str], harmless: Harmless) -> FrozenSet[str]:
    """Return how words may be spelt in a recording; those that are part of a harmless one cannot be searched for."""
    everywhere = " ".join([*harmless.words, *COMMON, *HEADERS, _OURS]).lower()
    found: Set[str] = set()
    for word in words:
        if len(word) < _SHORTEST or word.lower() in everywhere:
            continue
        plain = base64.b64encode(word.encode("utf-8", "surrogateescape")).decode()
        # without its ends, base64 is the same within a longer text only at one place out of three
        for one in (word, json.dumps(word)[1:-1], html.escape(word), quote(word, safe=""), plain.rstrip("=")[:-1]):
            found.add(one.lower())
    return frozenset(found)


def _searched(body: IO[bytes], needles: FrozenSet[str], judge: Judge) -> Iterator[bytes]:
    longest = max(map(len, needles), default=0)
    tail = ""
    for piece in pieces_of(body):
        text = tail + piece.decode("utf-8", "replace").lower()
        _search(text, needles, judge)
        tail = text[-longest:] if longest else ""
        yield piece


def _search(text: str, needles: FrozenSet[str], judge: Judge) -> None:
    for needle in needles:
        if needle in text:
            judge.tell(needle, "it stands in the configuration of this site")
