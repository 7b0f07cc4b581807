"""The short way from one offer to the next, when things changed but none came or went. Pure.

A round costs seconds of processor time in a site of ten thousand entries when all are rendered and judged; most rounds
change some dozens. Objects of the model are compared instead, and those that differ are rendered, before and after.
Whatever could change the verdict on the rest (a key, a name, a class, an entry that breaks a rule) takes the long way.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.differences import Step, altered, due, made
from fedcloud_agent.infosys.entry import Entry, digest
from fedcloud_agent.infosys.glue20_compute import sees
from fedcloud_agent.infosys.kept import Changes, Held
from fedcloud_agent.infosys.model import SiteOffer
from fedcloud_agent.infosys.rules.finding import ERROR, severity_of
from fedcloud_agent.infosys.rules.inspection import PUBLISHED_ALL_THE_SAME, breaches
from fedcloud_agent.infosys.rules.keys import IDS, KEYS, LISTS

_TIED = frozenset({"objectClass", *IDS, *KEYS, *LISTS})
"""What ties an entry to others."""


class Offered(NamedTuple):
    """A site as it was or is, and the instant that dates it."""

    site: SiteOffer
    now: int


def short_way(before: Offered, now: Offered, held: Mapping[str, Held]) -> Optional[Step]:
    """Return the step between two offers, of which the first made the tree that stands; None: take the long way."""
    changed = _changed(before.site, now.site)
    if changed is None:
        return None

    def wanted(one: object) -> bool:
        return id(one) in changed

    put: List[Entry] = []
    modified = []
    old, new = glue20.entries(before.site, before.now, wanted), glue20.entries(now.site, now.now, wanted)
    for was, is_ in zip_longest(old, new):
        if was is None or is_ is None or was.dn != is_.dn:
            return None
        stood = digest(was)
        if stood == digest(is_):
            continue
        stands = held.get(is_.dn)
        if stands is None or stands.gone is not None or stands.digest != stood or not _may(was, is_, now.now):
            return None
        put.append(is_)
        modified.append(altered(was, is_))
    dropped = tuple(due(held, now.now))
    return made(Changes(tuple(put), (), dropped), (), modified)


def _may(was: Entry, is_: Entry, now: int) -> bool:
    """Tell whether an entry may change so without a look at the rest of the tree."""
    tied = all(was.attributes.get(name) == is_.attributes.get(name) for name in _TIED)
    return tied and not any(
        severity_of(rule) == ERROR and rule not in PUBLISHED_ALL_THE_SAME for rule, _ in breaches(is_, now)
    )


def _changed(before: SiteOffer, now: SiteOffer) -> Optional[Set[int]]:
    """Return the ``id`` of every object, in both sites, that has no equal in the other; None: they differ in more."""
    if _stem(before) != _stem(now) or len(before.storage) != len(now.storage):
        return None
    changed: Set[int] = set()
    for old, new in zip(before.compute, now.compute):
        for some, others in ((old.instance_types, new.instance_types), (old.images, new.images)):
            _compare(some, others, changed)
        kinds, images = chain(old.instance_types, new.instance_types), chain(old.images, new.images)
        visible = [one.shares for one in kinds if id(one) in changed]
        visible += [one.shares for one in images if id(one) in changed]
        for was, is_ in zip(old.shares, new.shares):
            # a share names what it sees
            if was != is_ or any(sees(one.project, shares) for shares in visible for one in (was, is_)):
                changed |= {id(was), id(is_)}
    return changed


def _compare(some: Sequence[object], others: Sequence[object], changed: Set[int]) -> None:
    for one, other in zip(some, others):
        if one != other:
            changed |= {id(one), id(other)}


def _stem(site: SiteOffer) -> Tuple[object, ...]:
    """Return what all entries are made with, and how many of each kind there are."""
    return (
        *(site.name, site.host, site.settings, site.contacts),
        *(
            (
                *(one.name, one.base, one.accelerators, tuple(door.id for door in one.endpoints)),
                tuple((manager.key, manager.architecture) for manager in one.managers),
                *(len(one.instance_types), len(one.images), len(one.shares)),
            )
            for one in site.compute
        ),
    )
