"""Images of a StratusLab cloud: appliances, which people name as the Marketplace does. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

from fedcloud_agent.clouds.offer import Image

_METADATA = re.compile(r"(https?://[^?#]*?/metadata/([^/?#]+))(?:/([^/?#]+)(?:/([^/?#]+))?)?/?")


class Metadata(NamedTuple):
    """The parts of the address of an appliance's metadata; the endorser and the time name one version of it."""

    identifier: str
    base_uri: str
    endorser: Optional[str]
    version: Optional[str]


def metadata_of(uri: str) -> Optional[Metadata]:
    """Return the parts of ``http://HOST/metadata/ID/ENDORSER/TIME``, of which the last two may be missing."""
    match = _METADATA.fullmatch(uri)
    return None if match is None else Metadata(match[2], match[1], match[3], match[4])


def with_marketplace(images: Iterable[Image], appliances: Iterable[str]) -> Tuple[Image, ...]:
    """Return the images under the Marketplace's identifiers, with these ``appliances``, which everybody may start.

    One that several templates are made of is one image. What is from elsewhere stays as it is.
    """
    found: Dict[str, Image] = {}
    for image in [*images, *(Image(uri, marketplace_uri=uri) for uri in appliances)]:
        told = metadata_of(image.marketplace_uri or "")
        named = image
        if told is not None:
            named = replace(
                image,
                id=told.identifier,
                name=image.name or told.identifier,
                version=image.version or told.version,
                base_uri=image.base_uri or told.base_uri,
            )
        known = found.setdefault(named.id, named)
        found[named.id] = replace(known, shares=_together(known.shares, named.shares))
    return tuple(found.values())


def _together(one: Optional[Tuple[str, ...]], other: Optional[Tuple[str, ...]]) -> Optional[Tuple[str, ...]]:
    if one is None or other is None:
        return None
    return tuple(sorted({*one, *other}, key=int))
