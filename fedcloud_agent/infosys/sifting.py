"""What may leave: the site without what breaks a rule, and the names of what was set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import AbstractSet, Callable, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple, TypeVar

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.glue20_compute import image_id, manager_id, service_id, share_id, type_id
from fedcloud_agent.infosys.glue20_storage import storage_id
from fedcloud_agent.infosys.model import ComputeService, SiteOffer
from fedcloud_agent.infosys.rules.inspection import errors
from fedcloud_agent.infosys.rules.tree import Tree

T = TypeVar("T")


@dataclass(frozen=True)
class Sifted:
    """A site of which every rendering keeps the rules."""

    site: SiteOffer
    aside: Mapping[str, str]
    """The DNs that were left out, each with its reason: the rule first."""
    repeated: Tuple[str, ...]
    """DNs of what the cloud told twice; the first stays."""


def sift(site: SiteOffer, now: int, show: Callable[[Entry], None] = lambda _: None) -> Sifted:
    """Judge the tree of a site, and take out what breaks a rule with all that cannot be without it.

    ``show`` is shown every entry as it is judged: rendering is what costs, and most often nothing is taken out.
    """

    def shown() -> Iterator[Entry]:
        for entry in glue20.entries(site, now):
            show(entry)
            yield entry

    tree = Tree()
    aside = tree.aside(errors(shown(), tree, now))
    repeated = tuple(sorted(tree.repeated - aside.keys()))
    return Sifted(without(site, aside) if aside or repeated else site, aside, repeated)


def without(site: SiteOffer, aside: Iterable[str]) -> SiteOffer:
    """Return a site without the entries of these DNs, and without the second of what the cloud told twice."""
    gone = frozenset(dn.partition(",")[0] for dn in aside)
    service, endpoint = glue20.own_ids(site)
    own = {f"GLUE2ServiceID={service}", f"GLUE2EndpointID={endpoint}"}
    return replace(
        site,
        host=None if gone & own else site.host,
        compute=tuple(_compute(one, gone) for one in _kept(site.compute, gone, "GLUE2ServiceID", service_id)),
        storage=tuple(
            replace(one, endpoints=_kept(one.endpoints, gone, "GLUE2EndpointID", lambda door: door.id))
            for one in _kept(site.storage, gone, "GLUE2ServiceID", storage_id)
        ),
    )


def _compute(service: ComputeService, gone: AbstractSet[str]) -> ComputeService:
    images = "GLUE2ApplicationEnvironmentID"
    return replace(
        service,
        endpoints=_kept(service.endpoints, gone, "GLUE2EndpointID", lambda one: one.id),
        shares=_kept(service.shares, gone, "GLUE2ShareID", lambda one: share_id(service, one)),
        managers=_kept(service.managers, gone, "GLUE2ManagerID", lambda one: manager_id(service, one)),
        instance_types=_kept(service.instance_types, gone, "GLUE2ResourceID", lambda one: type_id(service, one)),
        images=_kept(service.images, gone, images, lambda one: image_id(service, one)),
    )


def _kept(things: Sequence[T], gone: AbstractSet[str], attribute: str, id_of: Callable[[T], str]) -> Tuple[T, ...]:
    """Return what is not gone, and of several with one identifier the first."""
    seen: Set[str] = set()
    kept: List[T] = []
    for one in things:
        rdn = f"{attribute}={id_of(one)}"
        if rdn not in gone and rdn not in seen:
            seen.add(rdn)
            kept.append(one)
    return tuple(kept)


def summary(sifted: Sifted) -> List[str]:
    """Return what was set aside and why, a line for each."""
    return [
        *(f"set aside: {dn.partition(',')[0]}: {reason}" for dn, reason in sifted.aside.items()),
        *(f"told twice, the first stays: {dn.partition(',')[0]}" for dn in sifted.repeated),
    ]
