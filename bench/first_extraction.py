"""A first extraction, against the time in which the same pages can be fetched at all."""

from __future__ import annotations

import sys
from typing import Iterator, List

from bench import child
from bench.child import Start
from bench.cloud import MICROVERSION, PAGE, PER_SERVER, Cloud
from bench.figure import Figure, in_turn, ratio
from bench.session import Session

NAME, TARGET = "first-extraction", 1.2


def fetching(cloud: Cloud) -> List[str]:
    """Return the command of the plain loop."""
    site = cloud.box.cloud
    who = [site.admin_name, site.admin_password, site.admin_project]
    return [
        *(sys.executable, "-m", "bench.fetch", site.auth_url, site.compute_url, *who),
        *(str(PAGE), MICROVERSION),
    ]


def measure(session: Session) -> Iterator[Figure]:
    servers = session.size(10_000, 600)
    directory = session.room(NAME)
    with Cloud(directory, servers) as cloud:
        ours_start = Start(cloud.command, cloud.environment, directory / "ours.modules")
        peer_start = Start(fetching(cloud), cloud.environment, directory / "peer.modules")

        def ours() -> float:
            cloud.forget()
            cloud.latency(0)
            start = ours_start.cost().wall
            cloud.latency(PER_SERVER)
            return cloud.extract().wall - start

        def peer() -> float:
            start = peer_start.cost().wall
            return child.run(fetching(cloud), cloud.environment).wall - start

        runs = in_turn(session.turns, ours, peer)
    yield ratio(
        NAME,
        runs,
        "s",
        TARGET,
        f"'accounting extract' of {servers} servers into an empty ledger, over a keystoneauth1 loop that fetches the "
        f"same pages of {PAGE} one after another; the cloud takes {PER_SERVER * 1000:g} ms for each server in a page; "
        "of both processes the time of one that only imports the same modules is taken off; at most the target.",
    )
