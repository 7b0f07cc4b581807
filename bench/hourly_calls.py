"""How many calls an hourly run makes, counted by the cloud."""

from __future__ import annotations

from typing import Dict, Iterator, List

from bench import child
from bench.cloud import Cloud
from bench.figure import Figure, bound
from bench.session import Session

NAME = "hourly-calls"
LIMIT = 20
_HOUR = 3600


def measure(session: Session) -> Iterator[Figure]:
    servers = session.size(10_000, 600)
    for name, wall in ((NAME, "lifetime"), (f"{NAME}-active", "active")):
        with Cloud(session.room(name), servers, cloud_settings=f"wall: {wall}") as cloud:
            runs = hours(session, cloud, wall == "active")
        more = " and one more for each server whose state changed" if wall == "active" else ""
        yield bound(
            name,
            runs,
            "calls",
            f"Calls of 'accounting extract' an hour after the last one, counted by the cloud, of whose {servers} live "
            f"servers 1 % were stopped, deleted or came anew (wall: {wall}); at most {LIMIT}{more}.",
        )


def hours(session: Session, cloud: Cloud, active: bool) -> List[Dict[str, float]]:
    """Let an hour pass for each turn; the peer is how many calls are allowed."""
    site = cloud.box.cloud
    now = site.now()
    cloud.box.set_clock(now)
    cloud.extract()
    runs: List[Dict[str, float]] = []
    for turn in range(session.turns):
        now += _HOUR
        cloud.box.clock.set(now)
        came, changed = cloud.an_hour(turn, now)
        site.reset_calls()
        said = child.run(cloud.command, cloud.environment).output
        if f"{came} new machines, {changed} changed, " not in said:
            raise RuntimeError(f"that was not the hour that was made:\n{said}")
        allowed = LIMIT + (changed if active else 0)
        runs.append({"ours": sum(site.calls().values()), "peer": allowed})
    return runs
