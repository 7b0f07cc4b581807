"""How fast a machine's cores are, and at which site they stand: what its host and cluster say. Pure."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from fedcloud_plugins.opennebula.pools import Cluster, Host
from fedcloud_plugins.opennebula.row import Row


class Place(NamedTuple):
    """What follows from where a machine is."""

    benchmark_type: Optional[str] = None
    benchmark: Optional[float] = None
    site: Optional[str] = None


def place_of(row: Row, host: Callable[[int], Optional[Host]], cluster: Callable[[int], Optional[Cluster]]) -> Place:
    """Return what the last host of a machine says, and where that says nothing, the cluster."""
    if not row.history:
        return Place()
    last = row.history[-1]
    on = host(last.hid)
    number = last.cid if last.cid >= 0 else on.cluster if on is not None else None
    within = cluster(number) if number is not None else None
    site = within.site if within is not None else None
    for source in (on, within):
        if source is not None and source.benchmark is not None:
            return Place(source.benchmark_type, source.benchmark, site)
    return Place(site=site)
