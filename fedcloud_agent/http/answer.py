"""What a peer answered, and how to make sense of it."""

from __future__ import annotations

import email.utils
import html
import json
import re
from dataclasses import dataclass
from datetime import timezone
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from fedcloud_agent.errors import RemoteDataError

_LARGEST_EXPLANATION = 65536


@dataclass(frozen=True)
class Answer:
    """What a peer answered. ``headers`` compare without case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body. Raises RemoteDataError when it is not JSON, is cut short or is empty."""
        kind = self.headers.get("Content-Type", "")
        if not self.body.strip():
            raise RemoteDataError(f"{place_of(self.url)} answered {self.status} with an empty body where JSON was due")
        if "json" not in kind.lower():
            raise RemoteDataError(
                f"{place_of(self.url)} answered {self.status} with {kind.partition(';')[0] or 'no content type'} "
                "where JSON was due",
                hint="is there a login page or a proxy between us and the service?",
            )
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise RemoteDataError(f"{place_of(self.url)} answered JSON that cannot be read: {error}") from error

    def date(self) -> int:
        """Return the peer's clock as its Date header has it. Raises RemoteDataError when there is none to be read."""
        text = self.headers.get("Date", "")
        try:
            return int(http_date(text))
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise RemoteDataError(
                f"{place_of(self.url)} answered without a usable Date header ({text[:60]!r}): its clock is not known",
                hint="a proxy may have removed it; the service's own Date header must come through",
            ) from error

    def explanation(self) -> str:
        """Return the peer's own words on what is wrong, in one line, or an empty text."""
        text = self.body[:4096].decode("utf-8", "replace")
        try:
            said: object = json.loads(self.body) if len(self.body) <= _LARGEST_EXPLANATION else None
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict):
            inner = next((v for v in said.values() if isinstance(v, dict) and "message" in v), said)
            text = str(inner.get("message") or inner.get("title") or "")
        text = html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE))
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def place_of(url: Optional[str]) -> str:
    """Return ``url`` without its query, which is long and may hold what a log must not."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def http_date(text: str) -> float:
    """Return the instant of a date as headers have it; they are UTC, also where they fail to say so."""
    moment = email.utils.parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
