"""The images that machines can be started from, out of the lists that each project is shown. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Image
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.appliance import Appliance, appliance
from fedcloud_plugins.openstack.row import id_of, text, told_count

_GIB = 2**30
_PARTS = ("aki", "ari")
"""Container formats of a kernel and of a ramdisk, from which alone nothing starts."""


class ImageView(NamedTuple):
    """The images as one token is shown them.

    ``projects`` are those of which it speaks. ``everything``: the token is an administrator's, to whom also those are
    shown that the project does not see.
    """

    projects: Tuple[str, ...]
    everything: bool
    rows: Sequence[Any]


class Shelf(NamedTuple):
    """What is on offer, by id, and what could not be read."""

    images: Tuple[Image, ...]
    problems: Tuple[Problem, ...]


def shelf(views: Sequence[ImageView], prefer: str) -> Shelf:
    """Return the images of all projects, each with those that see it; a bad one is left out and named.

    ``prefer`` is the property that names the appliance first of all. Snapshots are left out: they carry the
    properties of the image that their machine was started from, and are not what these say. Raises RemoteDataError
    when there are images and not one can be read.
    """
    rows: Dict[str, Mapping[str, Any]] = {}
    seeing: Dict[str, Set[str]] = {}
    everyones: Set[str] = set()
    untold: Set[str] = set()
    ours = {project for view in views for project in view.projects}
    for view in views:
        for row in view.rows:
            id_ = id_of(row, "an image")
            if is_snapshot(row) or row.get("container_format") in _PARTS or row.get("status") != "active":
                continue
            owner, visibility = row.get("owner"), row.get("visibility")
            if visibility == "public" or (visibility == "community" and owner in ours):
                everyones.add(id_)
            elif visibility == "shared" and not view.everything:
                # it is listed since the project accepted it
                seeing.setdefault(id_, set()).update(view.projects)
            elif owner in view.projects:
                seeing.setdefault(id_, set()).add(str(owner))
            if visibility == "shared" and view.everything:
                untold.add(id_)
            rows.setdefault(id_, row)
    images: List[Image] = []
    problems: List[Problem] = []
    bad: List[str] = []
    for id_ in sorted(everyones | seeing.keys()):
        try:
            found, problem = _image(id_, rows[id_], None if id_ in everyones else seeing[id_], prefer)
        except ValueError as error:
            bad.append(f"image {id_}: {error}")
            problems.append(Problem(f"image {id_}", f"it cannot be read and is not on offer: {error}"))
            continue
        images.append(found)
        if problem:
            problems.append(Problem(f"image {id_}", problem))
    if bad and not images:
        raise RemoteDataError(f"none of {len(bad)} images can be read; {bad[0]}")
    if untold:
        problems.append(
            Problem(
                "images",
                f"with which projects {len(untold)} of them are shared is not told to an administrator: where this "
                "account is one, they are on offer to their owners alone. The role reader instead of admin is told",
            )
        )
    return Shelf(tuple(images), tuple(problems))


def is_snapshot(row: Mapping[str, Any]) -> bool:
    """Tell whether an image was made from a machine, by a user or by shelving it."""
    if row.get("image_type") in ("snapshot", "backup"):
        return True
    return any(row.get(key) for key in ("instance_uuid", "base_image_ref", "block_device_mapping"))


def _image(id_: str, row: Mapping[str, Any], projects: Optional[Set[str]], prefer: str) -> Tuple[Image, Optional[str]]:
    """Return an image, and what is wrong with what its registry wrote on it. Raises ValueError."""
    marked: Appliance = appliance(row, prefer)
    return Image(
        id=id_,
        name=text(row, "name"),
        marketplace_uri=marked.uri,
        version=marked.version,
        description=marked.description,
        os_family=text(row, "os_type"),
        os_name=text(row, "os_distro") or marked.os_name,
        os_version=text(row, "os_version") or marked.os_version,
        architecture=text(row, "architecture") or marked.architecture,
        min_cpu=marked.min_cpu,
        recommended_cpu=marked.recommended_cpu,
        # zero is how the service writes that nobody set a minimum
        min_memory=told_count(row, "min_ram") or marked.min_memory,
        recommended_memory=marked.recommended_memory,
        disk=_disk(row),
        base_uri=marked.base_uri,
        shares=None if projects is None else tuple(sorted(projects)),
    ), marked.problem


def _disk(row: Mapping[str, Any]) -> Optional[int]:
    """Return the GB that a machine's disk must have: the size of the unpacked image, or the minimum that was set."""
    unpacked = told_count(row, "virtual_size") or 0
    return max(-(-unpacked // _GIB), told_count(row, "min_disk") or 0) or None
