"""Templates and images as oned's lists tell them, read into what an offer needs of them. Pure."""

from __future__ import annotations

import math
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple
from xml.etree.ElementTree import Element

from fedcloud_plugins.opennebula.description.appliance import marks_of
from fedcloud_plugins.opennebula.description.permissions import Access, access_of
from fedcloud_plugins.opennebula.row import identifier, number, texts

_LARGEST = 2**40


class Template(NamedTuple):
    """A template of machines. Memory in MB, or None where it sets none."""

    access: Access
    name: str
    marks: Mapping[str, str]
    disk: Mapping[str, str]
    """The first disk that has an image or a source; empty where none has."""
    cores: int
    memory: Optional[int]
    architecture: Optional[str]


class Image(NamedTuple):
    """An image. ``size`` in MB, None where it is not told; ``owner`` is its owner's name."""

    access: Access
    name: str
    owner: str
    state: int
    size: Optional[int]
    marks: Mapping[str, str]

    @property
    def is_usable(self) -> bool:
        """Whether machines can be started from it: it is not disabled, in error, on its way in or out."""
        return self.state not in _UNUSABLE


# INIT DISABLED LOCKED ERROR DELETE LOCKED_USED LOCKED_USED_PERS
_UNUSABLE = frozenset({0, 3, 4, 5, 7, 9, 10})


def template_of(element: Element) -> Template:
    """Return the template of a VMTEMPLATE. Raises ValueError for one without id or owner."""
    access = access_of(element)
    inside = element.find("TEMPLATE")
    marks = marks_of(inside)
    disks = [] if inside is None else [texts(disk) for disk in inside.findall("DISK")]
    disk = next((disk for disk in disks if disk.get("IMAGE_ID") or disk.get("IMAGE") or _is_url(disk)), {})
    return Template(
        access,
        (element.findtext("NAME") or "").strip(),
        marks,
        disk,
        _amount(marks.get("VCPU")) or 1,
        _amount(marks.get("MEMORY")),
        None if inside is None else (inside.findtext("OS/ARCH") or "").strip() or None,
    )


def _is_url(disk: Mapping[str, str]) -> bool:
    return disk.get("SOURCE", "").startswith(("http://", "https://"))


def _amount(text: Optional[str]) -> Optional[int]:
    try:
        value = float(text) if text and len(text) <= 40 and text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return int(value) if 1 <= value <= _LARGEST else None


def image_of(element: Element) -> Image:
    """Return the image of an IMAGE. Raises ValueError for one without id, owner or state."""
    access = access_of(element)
    try:
        state = number(element.findtext("STATE"), _LARGEST)
    except ValueError as error:
        raise ValueError(f"image {access.id} has no state: {error}") from None
    try:
        size: Optional[int] = number(element.findtext("SIZE"), _LARGEST)
    except ValueError:
        size = None
    name, owner = ((element.findtext(key) or "").strip() for key in ("NAME", "UNAME"))
    return Image(access, name, owner, state, size, marks_of(element.find("TEMPLATE")))


class Images:
    """The images of one oned, found as templates name them: by number, or by name and owner."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._by_id: Dict[int, Image] = {}
        self._by_name: Dict[str, List[Image]] = {}
        for image in images:
            self._by_id[image.access.id] = image
            self._by_name.setdefault(image.name, []).append(image)

    def of_disk(self, disk: Mapping[str, str], owner: int) -> Tuple[str, Optional[Image]]:
        """Return what a disk calls its image, and the image; ``owner`` is the user whose images are meant else.

        The name is empty where the disk names none; the image None where there is none of that name.
        """
        written = disk.get("IMAGE_ID", "")
        if written:
            found = identifier(written)
            return written, None if found is None else self._by_id.get(found)
        name = disk.get("IMAGE", "")
        same = self._by_name.get(name, [])
        if disk.get("IMAGE_UNAME"):
            return name, next((one for one in same if one.owner == disk["IMAGE_UNAME"]), None)
        uid = identifier(disk.get("IMAGE_UID"))
        wanted = owner if uid is None else uid
        return name, next((one for one in same if one.access.uid == wanted), None)
