"""What the other pools of oned hold, as far as usage needs it.

Secrets never enter: of an account's password field only what the driver x509 keeps there, which is a name.
"""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element

from fedcloud_plugins.opennebula.row import identifier, number, texts

_LARGEST_SIZE = 2**40


class User(NamedTuple):
    """An account. ``subjects``: what driver x509 keeps as password, as it stands there; empty for other drivers."""

    id: int
    name: str
    subjects: str
    properties: Mapping[str, str]


class Image(NamedTuple):
    """An image: the appliance that it is a copy of, and its size in MB."""

    id: int
    appliance: Optional[str]
    size: Optional[int]


class Template(NamedTuple):
    """A template of machines."""

    id: int
    appliance: Optional[str]


class Host(NamedTuple):
    """A hypervisor. ``cluster``: its id, or None."""

    id: int
    cluster: Optional[int]
    benchmark_type: Optional[str]
    benchmark: Optional[float]


class Cluster(NamedTuple):
    """A cluster of hosts. ``site``: the SiteName of the machines that run there, where it is another one."""

    id: int
    benchmark_type: Optional[str]
    benchmark: Optional[float]
    site: Optional[str]


def _id(element: Element) -> int:
    found = identifier(element.findtext("ID"))
    if found is None:
        raise ValueError(f"a {element.tag} has no ID")
    return found


def user_of(element: Element, properties: Sequence[str]) -> User:
    """Return the account of a USER element, with those of its ``properties`` that are set. ValueError: it has no id."""
    found = texts(element.find("TEMPLATE"))
    subjects = element.findtext("PASSWORD") or "" if element.findtext("AUTH_DRIVER") == "x509" else ""
    return User(
        _id(element),
        element.findtext("NAME") or "",
        subjects,
        {name: found[name] for name in properties if name in found},
    )


def image_of(element: Element, keys: Sequence[str]) -> Image:
    """Return the image of an IMAGE element, named by the first of ``keys`` that is set. ValueError: it has no id."""
    try:
        size: Optional[int] = number(element.findtext("SIZE"), _LARGEST_SIZE)
    except ValueError:
        size = None
    return Image(_id(element), _appliance(element, keys), size)


def template_of(element: Element, keys: Sequence[str]) -> Template:
    """Return the template of a VMTEMPLATE element. ValueError: it has no id."""
    return Template(_id(element), _appliance(element, keys))


def _appliance(element: Element, keys: Sequence[str]) -> Optional[str]:
    found = texts(element.find("TEMPLATE"))
    return next((found[key] for key in keys if key in found), None)


def host_of(element: Element) -> Host:
    """Return the hypervisor of a HOST element. ValueError: it has no id."""
    return Host(_id(element), identifier(element.findtext("CLUSTER_ID")), *_benchmark(texts(element.find("TEMPLATE"))))


def cluster_of(element: Element) -> Cluster:
    """Return the cluster of a CLUSTER element. ValueError: it has no id."""
    found = texts(element.find("TEMPLATE"))
    site = found.get("APEL_SITE_NAME")
    return Cluster(_id(element), *_benchmark(found), site if site and site.isprintable() and len(site) <= 255 else None)


def _benchmark(found: Mapping[str, str]) -> Tuple[Optional[str], Optional[float]]:
    kind = found.get("BENCHMARK_TYPE")
    try:
        value = float(found.get("BENCHMARK_VALUE", ""))
    except ValueError:
        return None, None
    # one without the other says nothing
    if not kind or len(kind) > 50 or not kind.isprintable() or not (math.isfinite(value) and value > 0):
        return None, None
    return kind, value
