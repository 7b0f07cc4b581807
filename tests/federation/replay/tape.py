"""A recording laid out for replay: which recorded answer a request gets.

A request gets the recorded answers to the very same request one after the other, and the last one for ever. Where it
was never made so (the code that asks has changed since), it gets those of the request that is most like it, as long as
method, path and the marker of the page are the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from fedcloud_agent.recording.archive import Exchange, exchanges, manifest_of
from fedcloud_agent.recording.pseudonyms import LOWER, SECRET_LENGTH

_SECRET = re.compile(f"[{LOWER}]{{{SECRET_LENGTH}}}")
_SESSION = re.compile("<string>[^<]*</string>")
_DECIDING = ("marker",)
_VERSIONS = ("openstack-api-version", "x-openstack-nova-api-version")


@dataclass
class Track:
    """One request, and what was answered to it, in order."""

    exchange: Exchange
    answers: List[Tuple[Exchange, Path]] = field(default_factory=list)
    played: int = 0

    def next(self) -> Tuple[Exchange, Path]:
        answer = self.answers[min(self.played, len(self.answers) - 1)]
        self.played += 1
        return answer


class Tape:
    """The answers of a recording; their bodies lie in ``directory``."""

    def __init__(self, recording: Path, directory: Path) -> None:
        self.manifest: Dict[str, Any] = manifest_of(recording)
        self.origins: List[str] = self.manifest["origins"]
        self.missed: List[str] = []
        recorded = []
        for exchange, body in exchanges(recording):
            path = directory / f"{exchange.number:06d}.body"
            path.write_bytes(body.read())
            recorded.append((exchange, path))
        self.tracks: Dict[Tuple[Any, ...], Track] = {}
        for exchange, path in sorted(recorded, key=lambda pair: pair[0].number):
            parts = urlsplit(exchange.url)
            place = (exchange.method, "://".join(parts[:2]), parts.path)
            headers = {name.lower(): value for name, value in exchange.headers}
            key = (place, tuple(parse_qsl(parts.query, True)), _version(headers), _form(exchange.body))
            self.tracks.setdefault(key, Track(exchange)).answers.append((exchange, path))

    def find(
        self, method: str, origin: str, path: str, query: str, headers: Mapping[str, str], body: str
    ) -> Optional[Tuple[Exchange, Path]]:
        """Return the recorded answer and the file of its body, or None when nothing like it was ever asked."""
        pairs, version = parse_qsl(query, True), _version({name.lower(): value for name, value in headers.items()})
        best: Tuple[int, Optional[Track]] = (-1, None)
        for (place, asked, asked_version, _), track in self.tracks.items():
            if place != (method, origin, path) or not _same_page(asked, pairs):
                continue
            if _form(track.exchange.body) and not _bodies_agree(track.exchange.body, body):
                continue
            alike = 2 * len(set(asked) & set(pairs)) - len(set(asked) ^ set(pairs)) + 100
            alike += 1000 * (sorted(asked) == sorted(pairs)) + 10 * (version == asked_version)
            if alike > best[0]:
                best = (alike, track)
        if best[1] is None:
            self.missed.append(f"{method} {path}?{query}")
            return None
        return best[1].next()


def _version(headers: Mapping[str, str]) -> Tuple[Optional[str], ...]:
    return tuple(headers.get(name) for name in _VERSIONS)


def _same_page(asked: Any, pairs: Any) -> bool:
    return all([v for k, v in asked if k == name] == [v for k, v in pairs if k == name] for name in _DECIDING)


def _form(body: str) -> str:
    """Return a body as it compares: without the order of keys and the blanks between elements."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return _SESSION.sub("<string/>", re.sub(r">\s+<", "><", body.strip()), count=1)


def _bodies_agree(recorded: str, asked: str) -> bool:
    """Tell whether two bodies are the same but for secrets, of which the recording has none."""
    pattern = ".*?".join(re.escape(part) for part in _SECRET.split(_form(recorded)))
    return re.fullmatch(pattern, _form(asked), re.DOTALL) is not None
