"""What registries and those who bring their images write on an image: its entry, its version, what it needs. Pure.

Each tool has its own way: properties named after the events of vmcatcher, all facts of the image list as one JSON text
(APPLIANCE_ATTRIBUTES), or one property for each fact behind a prefix of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from fedcloud_plugins.openstack.row import is_text

_ATTRIBUTES = "APPLIANCE_ATTRIBUTES"
_PREFIXES = ("cloudkeeper_appliance_", "cloudkeeper_", "appliance_")
"""In lower case, as the tools do not agree; what follows is named alike by all of them."""
_MEBI = 1024**2
_LARGEST = 2**50


class _Names(NamedTuple):
    """What one fact is called, each list in the order of trust."""

    properties: Tuple[str, ...]
    prefixed: Tuple[str, ...]
    attributes: Tuple[str, ...]
    """Keys of the image list, in APPLIANCE_ATTRIBUTES."""


_URI = _Names(("vmcatcher_event_ad_mpuri", "ad:mpuri", "marketplace"), ("mpuri",), ("ad:mpuri",))
_BASE = _Names((), ("base_mpuri",), ("ad:base_mpuri",))
_VERSION = _Names(("vmcatcher_event_hv_version", "image_version"), ("version",), ("hv:version",))
_DESCRIPTION = _Names(
    ("vmcatcher_event_dc_description", "vmcatcher_event_dc_title", "description"),
    ("description", "title"),
    ("dc:description", "dc:title"),
)
_ARCHITECTURE = _Names(("vmcatcher_event_sl_arch",), ("architecture",), ("sl:arch",))
_OS = _Names(("vmcatcher_event_sl_os",), ("operating_system",), ("sl:os",))
_OS_VERSION = _Names(("vmcatcher_event_sl_osversion",), (), ("sl:osversion",))
_CORES = _Names((), ("core",), ("hv:core_minimum",))
_MORE_CORES = _Names((), (), ("ad:core_recommended",))
_MEMORY = _Names((), ("ram",), ("hv:ram_minimum",))
_MORE_MEMORY = _Names((), (), ("ad:ram_recommended",))


@dataclass(frozen=True)
class Appliance:
    """What is written on one image. ``problem`` is what cannot be read of it."""

    uri: Optional[str] = None
    base_uri: Optional[str] = None
    version: Optional[str] = None
    description: Optional[str] = None
    os_name: Optional[str] = None
    os_version: Optional[str] = None
    architecture: Optional[str] = None
    min_cpu: Optional[int] = None
    recommended_cpu: Optional[int] = None
    min_memory: Optional[int] = None
    recommended_memory: Optional[int] = None
    problem: Optional[str] = None


def appliance(row: Mapping[str, Any], prefer: str) -> Appliance:
    """Return what is written on an image; ``prefer`` is the property that names its entry before all others."""
    facts, problem = _facts(row.get(_ATTRIBUTES))
    prefixed = _prefixed(row)

    def first(names: _Names) -> Optional[str]:
        told = [
            *(row.get(name) for name in names.properties),
            *(prefixed.get(name) for name in names.prefixed),
            *(facts.get(name) for name in names.attributes),
        ]
        return next((str(one) for one in told if (is_text(one) or type(one) is int) and str(one).strip()), None)

    own = row.get(prefer)
    return Appliance(
        uri=str(own) if own and is_text(own) else first(_URI),
        base_uri=first(_BASE),
        version=first(_VERSION),
        description=first(_DESCRIPTION),
        os_name=first(_OS),
        os_version=first(_OS_VERSION),
        architecture=first(_ARCHITECTURE),
        min_cpu=_number(first(_CORES)),
        recommended_cpu=_number(first(_MORE_CORES)),
        min_memory=_memory(first(_MEMORY)),
        recommended_memory=_memory(first(_MORE_MEMORY)),
        problem=problem,
    )


def _prefixed(row: Mapping[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, value in row.items():
        name = key.lower()
        prefix = next((one for one in _PREFIXES if name.startswith(one)), None)
        if prefix is not None:
            found.setdefault(name[len(prefix) :], value)
    return found


def _facts(told: object) -> Tuple[Mapping[str, Any], Optional[str]]:
    if told is None or told == "":
        return {}, None
    try:
        facts = json.loads(told) if isinstance(told, str) else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        return {}, f"its {_ATTRIBUTES} is no JSON object; what it should tell is not published"
    return facts, None


def _number(told: Optional[str]) -> Optional[int]:
    """Return a number that is written as text; None for zero, which says nothing, and for anything else."""
    if told is None or not (told.isascii() and told.isdigit() and len(told) < 17):
        return None
    value = int(told)
    return value if 0 < value <= _LARGEST else None


def _memory(told: Optional[str]) -> Optional[int]:
    """Return MB: old lists have megabytes, newer ones bytes."""
    value = _number(told)
    return value // _MEBI if value is not None and value >= _MEBI else value
