"""A simulated OpenStack with so many servers, and the agent's own command on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

from bench.site import Site
from tests.federation.box import PROJECT, USER

PER_SERVER = 0.0025
"""Seconds that a real nova takes for each server in a page."""
PAGE = 200
"""What the agent asks for where all projects can be listed at once."""
MICROVERSION = "2.69"
_LIVED = 20 * 86400


class Cloud(Site):
    """A box without a broker, whose project holds ``servers`` live servers that came over the last twenty days."""

    def __init__(self, directory: Path, servers: int, **box: Any) -> None:
        super().__init__(directory, servers, **box)
        self.entry: Dict[str, Any] = {"project": PROJECT, "user": USER, "flavor": "small", "boot_seconds": 30}
        self.ids: List[str] = []

    def fill(self) -> None:
        """Create the servers."""
        spacing = max(1, _LIVED // self.size)
        first = int(time.time()) - self.size * spacing - 7200
        many = {**self.entry, "name": "worker", "count": self.size, "created": first, "spacing": spacing}
        self.ids = list(self.box.cloud.create_servers([many]))

    def latency(self, per_server: float) -> None:
        """Let the cloud take its time for each server in a page."""
        self.box.cloud.latency(per_server=per_server)

    def an_hour(self, turn: int, now: int) -> Tuple[int, int]:
        """Let the cloud's clock stand at ``now`` and 1 % of its servers have changed within the hour before.

        A third of them were deleted, a third stopped, a third came anew. Returns how many came, and how many changed.
        """
        site, third = self.box.cloud, max(1, self.size // 300)
        touched = self.ids[turn * 2 * third : (turn + 1) * 2 * third]
        site.set_clock(now)
        ends = [{"server": server, "action": "delete", "at": now - 3000} for server in touched[:third]]
        site.acts(ends + [{"server": server, "action": "stop", "at": now - 2400} for server in touched[third:]])
        site.create_servers([{**self.entry, "count": third, "created": now - 900, "spacing": 1, "name": f"new{turn}"}])
        return third, len(touched)
