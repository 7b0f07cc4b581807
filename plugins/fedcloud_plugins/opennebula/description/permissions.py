"""Which groups may use a template, an image or a document: by its permissions, or by an access rule. Pure."""

from __future__ import annotations

from typing import FrozenSet, Iterable, NamedTuple
from xml.etree.ElementTree import Element

from fedcloud_plugins.opennebula.rights import Rule, lets_group_use
from fedcloud_plugins.opennebula.row import identifier


class Access(NamedTuple):
    """What an object itself says of who may use it."""

    id: int
    uid: int
    gid: int
    by_group: bool
    """Whether its own group may."""
    by_all: bool


def access_of(element: Element) -> Access:
    """Return who may use an object. Raises ValueError for one without id or owner."""
    numbers = [identifier(element.findtext(key)) for key in ("ID", "UID", "GID")]
    id_, uid, gid = numbers
    if id_ is None or uid is None or gid is None:
        raise ValueError(f"a {element.tag} has no ID, UID or GID")
    by_group, by_all = (element.findtext(f"PERMISSIONS/{key}", "").strip() == "1" for key in ("GROUP_U", "OTHER_U"))
    return Access(id_, uid, gid, by_group, by_all)


def users_among(groups: FrozenSet[int], access: Access, kind: int, rules: Iterable[Rule]) -> FrozenSet[int]:
    """Return those of ``groups`` whose members may use an object of this kind, whoever of them made it."""
    if access.by_all:
        return groups
    granting = [rule for rule in rules if rule.resource & kind]
    return frozenset(
        group
        for group in groups
        if (access.by_group and group == access.gid)
        or any(lets_group_use(rule, group, kind, access.id, access.gid) for rule in granting)
    )
