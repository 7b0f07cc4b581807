"""Offers of clouds as a JSON file: for bug reports, for tests, and to look at what a cloud told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence

from fedcloud_agent import plain
from fedcloud_agent.clouds.offer import CloudOffer
from fedcloud_agent.errors import RemoteDataError

_MARK = "fedcloud-agent offers"
FORMAT = 1


@dataclass(frozen=True)
class NamedOffer:
    """The offer of one configured cloud."""

    name: str
    """Under which the site configured it."""
    host: str
    """Of its endpoint, as ``Cloud.host`` tells."""
    cloud_type: str
    offer: CloudOffer


def encode(offers: Sequence[NamedOffer]) -> Dict[str, object]:
    """Return offers as a JSON document. What a cloud did not tell is left out."""
    return {"what": _MARK, "format": FORMAT, "clouds": [plain.plain(one) for one in offers]}


def read(path: Path) -> List[NamedOffer]:
    """Return the offers that a file holds. Raises RemoteDataError, naming the place, when it is not one of ours."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise RemoteDataError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RemoteDataError(f"{path} is not JSON: {error}") from error
    try:
        if not isinstance(document, dict) or document.get("what") != _MARK or document.get("format") != FORMAT:
            raise ValueError(f"it does not begin as a file of offers of format {FORMAT} does")
        made: List[NamedOffer] = plain.made(List[NamedOffer], document.get("clouds"), "clouds")
    except ValueError as error:
        raise RemoteDataError(
            f"{path} is no file of offers: {error}",
            hint="'fedcloud-agent infosys render --format offer' writes one",
        ) from error
    return made
