"""The sizes that machines can have, out of the flavors that each project is shown. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Accelerator, InstanceType
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.row import count, id_of, is_text, text

_ACCELERATOR = "Accelerator:"
"""The properties that the federation agreed upon: Accelerator:Type, Accelerator:Number …"""


class FlavorView(NamedTuple):
    """The flavors as one token is shown them.

    ``project`` is the one that the token is for; None: only what is public counts, the rest is not said of whom.
    """

    project: Optional[str]
    rows: Sequence[Any]


class Sizes(NamedTuple):
    """What is on offer, by id, and what could not be read."""

    types: Tuple[InstanceType, ...]
    accelerators: Tuple[Accelerator, ...]
    problems: Tuple[Problem, ...]


def sizes(views: Sequence[FlavorView]) -> Sizes:
    """Return the flavors of all projects, each with those that may use it; a bad one is left out and named.

    Raises RemoteDataError when there are some and not one of them can be read.
    """
    rows: Dict[str, Mapping[str, Any]] = {}
    users: Dict[str, Set[str]] = {}
    for view in views:
        for row in view.rows:
            id_ = id_of(row, "a flavor")
            if row.get("OS-FLV-DISABLED:disabled") is True:
                continue
            if view.project is not None:
                users.setdefault(id_, set()).add(view.project)
            elif row.get(_PUBLIC) is not True:
                continue
            rows.setdefault(id_, row)
    types: List[InstanceType] = []
    accelerators: List[Accelerator] = []
    problems: List[Problem] = []
    bad: List[str] = []
    for id_, row in sorted(rows.items()):
        try:
            found = accelerator(id_, row)
            types.append(_instance_type(id_, row, found, users.get(id_, set())))
        except ValueError as error:
            bad.append(f"flavor {id_}: {error}")
            problems.append(Problem(f"flavor {id_}", f"it cannot be read and is not on offer: {error}"))
            continue
        if found is not None:
            accelerators.append(found)
            if found.number is None and _specs(row).get(f"{_ACCELERATOR}Number"):
                problems.append(Problem(f"flavor {id_}", "its Accelerator:Number is no whole number; it is left out"))
    if bad and not types:
        raise RemoteDataError(f"none of {len(bad)} flavors can be read; {bad[0]}")
    if any("extra_specs" not in row for row in rows.values()):
        problems.append(
            Problem("flavors", "their properties are not shown to this account: GPUs and networks are not published")
        )
    return Sizes(tuple(types), tuple(accelerators), tuple(problems))


_PUBLIC = "os-flavor-access:is_public"


def _instance_type(id_: str, row: Mapping[str, Any], found: Optional[Accelerator], users: Set[str]) -> InstanceType:
    return InstanceType(
        id=id_,
        name=text(row, "name"),
        cpu=count(row, "vcpus"),
        memory=count(row, "ram"),
        disk=count(row, "disk"),
        ephemeral=count(row, "OS-FLV-EXT-DATA:ephemeral") if "OS-FLV-EXT-DATA:ephemeral" in row else None,
        network_info="infiniband" if str(_specs(row).get("infiniband")).lower() == "true" else None,
        accelerator=None if found is None else found.id,
        shares=None if row.get(_PUBLIC) is True else tuple(sorted(users)),
    )


def accelerator(id_: str, row: Mapping[str, Any]) -> Optional[Accelerator]:
    """Return what the properties of a flavor say of a GPU or its like, or None. Raises ValueError.

    Its id is that of the flavor. ``Accelerator:Memory`` is in GB, and passed on as it is.
    """
    told = {
        key[len(_ACCELERATOR) :]: value
        for key, value in _specs(row).items()
        if key.startswith(_ACCELERATOR) and is_text(value) and value.strip()
    }
    kind = told.get("Type")
    if kind is None:
        return None
    # the services take no empty value, so that sites write 0 for "no version"
    version = told.get("Version")
    return Accelerator(
        id=id_,
        type=kind,
        number=_whole(told.get("Number")),
        vendor=told.get("Vendor"),
        model=told.get("Model"),
        version=None if version == "0" else version,
        clock_speed=_whole(told.get("ClockSpeed")),
        memory=_whole(told.get("Memory")),
        compute_capability=tuple(filter(None, map(str.strip, told.get("ComputeCapability", "").split(",")))),
        virtualization=told.get("VirtualizationType"),
    )


def _specs(row: Mapping[str, Any]) -> Mapping[str, Any]:
    specs = row.get("extra_specs")
    if specs is not None and not isinstance(specs, dict):
        raise ValueError(f"extra_specs {specs!r:.40} are no properties")
    return specs or {}


def _whole(value: Optional[str]) -> Optional[int]:
    """Return a number that is written as ``2`` or ``2.0``; None for anything else, a part of one too."""
    whole, _, fraction = (value or "").strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 13 and not fraction.strip("0")):
        return None
    return int(whole)


def largest(
    types: Sequence[InstanceType], project: str, cores: Optional[int], memory: Optional[int]
) -> Tuple[Optional[int], Optional[int]]:
    """Return the most CPUs and the most memory (MB) that one machine of a project can have.

    ``cores`` and ``memory`` are the limits of the project as a whole; None: it has none.
    """
    fitting = [
        kind
        for kind in types
        if (kind.shares is None or project in kind.shares)
        and (cores is None or (kind.cpu or 0) <= cores)
        and (memory is None or (kind.memory or 0) <= memory)
    ]
    return (
        max((kind.cpu for kind in fitting if kind.cpu is not None), default=None),
        max((kind.memory for kind in fitting if kind.memory is not None), default=None),
    )
