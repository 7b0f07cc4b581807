"""Sizes of machines. OpenNebula has none, so they are the site's own table, those of an OCCI server, or templates'."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Tuple
from xml.etree.ElementTree import Element

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import InstanceType
from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.description.images import named
from fedcloud_plugins.opennebula.description.permissions import users_among
from fedcloud_plugins.opennebula.description.settings import InstanceTypeSettings
from fedcloud_plugins.opennebula.description.templates import Template
from fedcloud_plugins.opennebula.rights import TEMPLATES, Rule

_LARGEST = 1_000_000_000
_LARGEST_FILE = 1024 * 1024


class Size(NamedTuple):
    """A resource template of an OCCI server. Memory in MB, disk in GB."""

    id: str
    title: str
    cores: int
    memory: int
    disk: Optional[int]


def of_table(table: Mapping[str, InstanceTypeSettings], form: str) -> Tuple[InstanceType, ...]:
    """Return the sizes of the site's own table, in its order."""
    return tuple(
        InstanceType(named(form, key, key), one.title or key, one.cpu, one.memory, one.disk, one.ephemeral)
        for key, one in table.items()
    )


def of_files(directory: Path) -> Tuple[Tuple[InstanceType, ...], Tuple[Problem, ...]]:
    """Return the sizes that the files of rOCCI 1 hold. A file that makes no sense is a problem.

    Raises ConfigurationError when the directory cannot be read.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".json")
    except OSError as error:
        raise ConfigurationError(
            f"{directory}, the directory of instance types, cannot be read: {error.strerror or error}",
            hint="correct offer.instance_type_files, or let this account read the directory",
        ) from error
    found: List[InstanceType] = []
    problems: List[Problem] = []
    for path in paths:
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise ValueError("it is too large")
            sizes = _mixins(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(Problem(str(path), f"it is no resource template: {reason}"))
            continue
        found.extend(_offered(size, size.id) for size in sizes)
    return tuple(found), tuple(problems)


def _mixins(told: Any) -> List[Size]:
    return [_mixin(mixin) for mixin in told["mixins"]]


def _mixin(mixin: Any) -> Size:
    compute = mixin["attributes"]["occi"]["compute"]
    storage = compute.get("ephemeral_storage") or {}
    disk = storage.get("size")
    return Size(
        f"{mixin['scheme']}{mixin['term']}",
        str(mixin.get("title") or mixin["term"]),
        _whole(compute["cores"]["Default"], 1, "cores"),
        _whole(compute["memory"]["Default"], 1024, "memory"),
        None if disk is None else _whole(disk["Default"], 1, "ephemeral storage", least=0),
    )


def of_document(element: Element) -> Size:
    """Return the resource template that a DOCUMENT of rOCCI 2 holds. Raises ValueError for another thing."""
    body = element.findtext("TEMPLATE/BODY") or ""
    try:
        told = json.loads(body) if len(body) <= _LARGEST_FILE else None
    except (ValueError, RecursionError):
        told = None
    name = " ".join((element.findtext("ID", ""), element.findtext("NAME", "")))[:100]
    if not isinstance(told, dict) or not isinstance(told.get("identifier"), str) or not told["identifier"]:
        raise ValueError(f"document {name} is no resource template: its BODY has no identifier")
    try:
        disk = told.get("occi.compute.ephemeral_storage.size")
        return Size(
            told["identifier"],
            str(told.get("title") or told["identifier"]),
            _whole(told.get("occi.compute.cores"), 1, "cores"),
            _whole(told.get("occi.compute.memory"), 1024, "memory"),
            None if disk is None else _whole(disk, 1, "ephemeral storage", least=0),
        )
    except ValueError as error:
        raise ValueError(f"document {name} is no resource template: {error}") from None


def of_documents(sizes: Iterable[Size], form: str) -> Tuple[InstanceType, ...]:
    """Return the resource templates of rOCCI 2 as sizes, by identifier."""
    return tuple(_offered(size, named(form, size.id, size.id)) for size in sorted(sizes))


def _offered(size: Size, id_: str) -> InstanceType:
    return InstanceType(id_, size.title, size.cores, size.memory, ephemeral=size.disk or None)


def _whole(value: object, unit: int, what: str, least: int = 1) -> int:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"its {what} is no number: {str(value)[:40]}")
    whole = round(value * unit)
    if not least <= whole <= _LARGEST:
        raise ValueError(f"its {what} cannot be {value}")
    return whole


def of_templates(
    templates: Iterable[Template], groups: FrozenSet[int], rules: Iterable[Rule]
) -> Tuple[InstanceType, ...]:
    """Return each size that a template has which a group of a VO may use, the small ones first."""
    rules = list(rules)
    sizes: Dict[Tuple[int, int], FrozenSet[int]] = {}
    for template in templates:
        if template.memory is None:
            continue
        users = users_among(groups, template.access, TEMPLATES, rules)
        if users:
            size = (template.cores, template.memory)
            sizes[size] = sizes.get(size, frozenset()) | users
    return tuple(
        InstanceType(
            f"{cores}-cores-{memory}-MB",
            f"{cores} {'core' if cores == 1 else 'cores'}, {memory} MB",
            cores,
            memory,
            shares=tuple(str(group) for group in sorted(users)),
        )
        for (cores, memory), users in sorted(sizes.items())
    )
