"""Groups: which of them serve a VO, and what each VO has by them. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple, Union
from xml.etree.ElementTree import Element

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Machines, Share
from fedcloud_plugins.opennebula.description.quotas import Counters, counters_of, quotas_of
from fedcloud_plugins.opennebula.row import identifier
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings


class Group(NamedTuple):
    """A group; its quotas stand in it (before 4.0) or beside it."""

    id: int
    name: str
    counters: Counters


class Quotas(NamedTuple):
    """The quotas of the group with this id; None: of all groups that have none of their own."""

    id: Optional[int]
    counters: Counters


def told_of(element: Element) -> Union[Group, Quotas, None]:
    """Return what an element of the list of groups tells. Raises ValueError for one without id."""
    if element.tag == "DEFAULT_GROUP_QUOTAS":
        return Quotas(None, counters_of(element))
    if element.tag not in ("GROUP", "QUOTAS"):
        return None
    number = identifier(element.findtext("ID"))
    if number is None:
        raise ValueError(f"a {element.tag} has no ID")
    if element.tag == "QUOTAS":
        return Quotas(number, counters_of(element))
    return Group(number, (element.findtext("NAME") or "").strip(), counters_of(element))


def shares_of(
    told: Iterable[Union[Group, Quotas]],
    settings: OpenNebulaSettings,
    machines: Optional[Mapping[int, Machines]],
    *,
    zero_is_unlimited: bool = False,
) -> Tuple[Tuple[Share, ...], Tuple[Problem, ...]]:
    """Return a share for each group that serves a VO, by id, and what is odd about them.

    ``machines`` is by group; None: they could not be counted.
    """
    groups: Dict[int, Group] = {}
    counters: Dict[Optional[int], Counters] = {}
    for one in told:
        if isinstance(one, Group):
            groups[one.id] = one
        else:
            counters[one.id] = one.counters
    shares: List[Share] = []
    problems: List[Problem] = []
    default = counters.get(None, Counters(None))
    for number, group in sorted(groups.items()):
        vo = settings.vo_of(str(number), group.name)
        if vo is None:
            continue
        try:
            quotas = quotas_of(counters.get(number, group.counters), default, zero_is_unlimited=zero_is_unlimited)
        except ValueError as error:
            quotas = ()
            problems.append(Problem(f"group {group.name or number}", f"its quotas are left out: {error}"))
        most = next((one.limit for one in quotas if one.name == "instances"), None)
        shares.append(
            Share(
                vo,
                str(number),
                group.name or None,
                max_machines=most if most is not None and most >= 0 else None,
                quotas=quotas,
                machines=None if machines is None else machines.get(number, Machines(0, 0, 0, 0, 0)),
            )
        )
    problems.extend(_missing(groups, settings))
    return tuple(shares), tuple(problems)


def _missing(groups: Mapping[int, Group], settings: OpenNebulaSettings) -> Iterable[Problem]:
    known = {str(number) for number in groups} | {group.name for group in groups.values()}
    for vo, entry in settings.vos.items():
        for name in entry.all:
            if name not in known:
                yield Problem(f"group {name}", f"it is to serve {vo}, but oned shows no group of this name or id")
