"""Images of the offer: a template with the image of its disk is what people start machines from. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Image as OfferedImage
from fedcloud_plugins.opennebula.description.appliance import Appliance, appliance_of
from fedcloud_plugins.opennebula.description.permissions import users_among
from fedcloud_plugins.opennebula.description.templates import Image, Images, Template
from fedcloud_plugins.opennebula.rights import IMAGES, TEMPLATES, Rule

_MB = 1024
_SHOWN = 10


@dataclass(frozen=True)
class View:
    """With what templates are judged.

    ``groups`` are those that serve a VO. ``rules`` are None where they are not known. ``sees_images``: whether an image
    that is not there is gone, and not only out of our sight.
    """

    groups: FrozenSet[int]
    rules: Optional[Sequence[Rule]]
    keys: Sequence[str]
    ids: str
    sees_images: bool = True


def images_of(
    templates: Iterable[Template], images: Images, view: View
) -> Tuple[Tuple[OfferedImage, ...], Tuple[Problem, ...]]:
    """Return what machines of the VOs can be started from, by number, and what is odd about it.

    A template that no group of a VO may use is somebody's private affair; but if it was made to hold an appliance of
    the federation, a person hears of it.
    """
    found: List[OfferedImage] = []
    problems: List[Problem] = []
    private: List[int] = []
    for template in sorted(templates, key=lambda one: one.access.id):
        if not template.disk:
            continue
        name, image = images.of_disk(template.disk, template.access.uid)
        appliance = appliance_of([template.disk, image.marks if image is not None else {}, template.marks], view.keys)
        if appliance.expired:
            continue
        shares = _shares(template, image, view)
        fault = _fault(name, image, view)
        if not shares:
            if appliance_of([template.disk, template.marks], view.keys).uri:
                private.append(template.access.id)
        elif fault is not None:
            problems.append(Problem(f"template {template.access.id} ({template.name})", f"it is left out: {fault}"))
        else:
            found.append(_offered(template, image, appliance, shares, view))
    if private:
        problems.append(_private(private, view))
    return tuple(found), tuple(problems)


def _private(numbers: Sequence[int], view: View) -> Problem:
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (" …" if len(numbers) > _SHOWN else "")
    unknown = "" if view.rules is not None else "; rules that might let one cannot be read"
    said = f"{len(numbers)} hold an appliance, and no group that serves a VO may use them and their images"
    return Problem("templates", f"{said}: {shown}{unknown}")


def _shares(template: Template, image: Optional[Image], view: View) -> FrozenSet[int]:
    shares = users_among(view.groups, template.access, TEMPLATES, view.rules or ())
    return shares if image is None else users_among(shares, image.access, IMAGES, view.rules or ())


def _fault(name: str, image: Optional[Image], view: View) -> Optional[str]:
    if name and image is None and view.sees_images:
        return f"its image, {name}, is not there"
    if image is not None and not image.is_usable:
        return f"its image, {name}, is in state {image.state}, from which nothing can be started"
    return None


def _offered(
    template: Template, image: Optional[Image], appliance: Appliance, shares: FrozenSet[int], view: View
) -> OfferedImage:
    size = image.size if image is not None else None
    return OfferedImage(
        id=named(view.ids, str(template.access.id), template.name),
        name=template.name or appliance.title,
        marketplace_uri=appliance.uri or _source(template.disk),
        version=appliance.version,
        description=appliance.description,
        os_family=appliance.os_family,
        os_name=appliance.os_name,
        os_version=appliance.os_version,
        architecture=appliance.architecture or template.architecture,
        min_cpu=appliance.cores,
        min_memory=appliance.memory,
        disk=None if size is None else -(-size // _MB),
        base_uri=appliance.base_uri,
        shares=tuple(str(group) for group in sorted(shares)),
    )


def _source(disk: Mapping[str, str]) -> Optional[str]:
    """Return the metadata of an appliance that a disk is made of, as StratusLab has it."""
    source = disk.get("SOURCE", "")
    return source if source.startswith(("http://", "https://")) else None


def named(form: str, id_: str, name: str) -> str:
    """Return what people call a thing by: the form that the site chose, filled in."""
    term = re.sub(r"[^a-z0-9]+", "_", name.lower())
    return form.replace("{term}", term).replace("{id}", id_)
