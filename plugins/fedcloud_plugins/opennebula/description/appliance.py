"""What a template, its disk and its image tell of the appliance that they hold: the marks that image loops leave. Pure.

Three such loops have been at clouds: vmcatcher marked the image, cloudkeeper 1 put one attribute with all of the image
list's words into the template, cloudkeeper 2 an attribute for each.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Dict, Mapping, NamedTuple, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element

from fedcloud_plugins.opennebula.row import texts

_PACKED = "CLOUDKEEPER_APPLIANCE_ATTRIBUTES"
_LARGEST = 64 * 1024
_FAMILIES = frozenset({"linux", "windows", "macosx", "solaris", "bsd", "freebsd", "unix"})

_URI = ("ad:mpuri",)
_BASE_URI = ("CLOUDKEEPER_APPLIANCE_BASE_MPURI", "VMCATCHER_EVENT_AD_BASE_MPURI", "ad:base_mpuri")
_VERSION = ("CLOUDKEEPER_APPLIANCE_VERSION", "VMCATCHER_EVENT_HV_VERSION", "hv:version")
_TITLE = ("CLOUDKEEPER_APPLIANCE_TITLE", "VMCATCHER_EVENT_DC_TITLE", "dc:title")
_DESCRIPTION = (
    "CLOUDKEEPER_APPLIANCE_DESCRIPTION",
    "VMCATCHER_EVENT_DC_DESCRIPTION",
    "dc:description",
    "DESCRIPTION",
)
_ARCHITECTURE = ("CLOUDKEEPER_APPLIANCE_ARCHITECTURE", "VMCATCHER_EVENT_SL_ARCH", "sl:arch")
_SYSTEM = ("CLOUDKEEPER_APPLIANCE_OPERATING_SYSTEM",)
_SYSTEM_FAMILY = ("VMCATCHER_EVENT_SL_OS", "sl:os")
_SYSTEM_NAME = ("VMCATCHER_EVENT_SL_OSNAME", "sl:osname")
_SYSTEM_VERSION = ("VMCATCHER_EVENT_SL_OSVERSION", "sl:osversion")
_CORES = ("CLOUDKEEPER_APPLIANCE_CORE", "VMCATCHER_EVENT_HV_CORE_MINIMUM", "hv:core_minimum")
_MEMORY = ("CLOUDKEEPER_APPLIANCE_RAM", "VMCATCHER_EVENT_HV_RAM_MINIMUM", "hv:ram_minimum")
_EXPIRED = "CLOUDKEEPER_EXPIRED"


class Appliance(NamedTuple):
    """An appliance of the federation, as far as its marks tell. Memory in MB."""

    uri: Optional[str]
    base_uri: Optional[str]
    version: Optional[str]
    title: Optional[str]
    description: Optional[str]
    architecture: Optional[str]
    os_family: Optional[str]
    os_name: Optional[str]
    os_version: Optional[str]
    cores: Optional[int]
    memory: Optional[int]
    expired: bool


def marks_of(template: Optional[Element]) -> Dict[str, str]:
    """Return the attributes of a TEMPLATE, with those that are packed into one under their names in image lists."""
    found = texts(template)
    packed = "" if template is None else template.findtext(_PACKED, "")
    for name, value in _unpacked(packed).items():
        found.setdefault(name, value)
    return found


def _unpacked(packed: str) -> Mapping[str, str]:
    if not packed or len(packed) > _LARGEST:
        return {}
    try:
        told = json.loads(base64.b64decode("".join(packed.split()), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        name: str(value) for name, value in told.items() if isinstance(value, (str, int)) and str(value).strip() != ""
    }


def appliance_of(sources: Sequence[Mapping[str, str]], keys: Sequence[str]) -> Appliance:
    """Return what these marks tell; of several sources the first that tells a thing counts.

    ``keys``: the attributes that hold the URI, best first.
    """

    def told(names: Sequence[str]) -> Optional[str]:
        return next((source[name] for source in sources for name in names if source.get(name)), None)

    family, name, version = _system(told(_SYSTEM), told(_SYSTEM_FAMILY))
    return Appliance(
        uri=told((*keys, *_URI)),
        base_uri=told(_BASE_URI),
        version=told(_VERSION),
        title=told(_TITLE),
        description=told(_DESCRIPTION),
        architecture=told(_ARCHITECTURE),
        os_family=family,
        os_name=told(_SYSTEM_NAME) or name,
        os_version=told(_SYSTEM_VERSION) or version,
        cores=_amount(told(_CORES)),
        memory=_amount(told(_MEMORY)),
        expired=any(_EXPIRED in source for source in sources),
    )


def _system(words: Optional[str], family: Optional[str]) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    """Take apart what is written as ``Linux AlmaLinux 9.4``, or with less."""
    parts = (words or family or "").split()
    found = parts.pop(0).lower() if parts and parts[0].lower() in _FAMILIES else None
    version = parts.pop() if len(parts) > 1 and any(letter.isdigit() for letter in parts[-1]) else None
    return found, " ".join(parts) or None, version


def _amount(text: Optional[str]) -> Optional[int]:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 12 and int(text) else None
