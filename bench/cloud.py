"""A simulated cloud with so many servers, and the agent's own command on it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

from bench import child
from bench.child import Cost
from tests.federation.box import PROJECT, USER, Box

PER_SERVER = 0.0025
"""Seconds that a real nova takes for each server in a page."""
PAGE = 200
"""What the agent asks for where all projects can be listed at once."""
MICROVERSION = "2.69"
_LIVED = 20 * 86400


class Cloud:
    """A box without a broker, whose project holds ``servers`` live servers that came over the last twenty days."""

    def __init__(self, directory: Path, servers: int, cloud_settings: str = "", settings: str = "") -> None:
        self.directory = directory
        self.servers = servers
        self.entry: Dict[str, Any] = {"project": PROJECT, "user": USER, "flavor": "small", "boot_seconds": 30}
        self.box = Box(
            directory / "box", broker=False, cloud_settings=cloud_settings, settings=settings or "first_run: backfill"
        )

    def __enter__(self) -> Cloud:
        self.box.__enter__()
        self.ids = self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self.box.__exit__(None, None, None)

    def _fill(self) -> List[str]:
        spacing = max(1, _LIVED // self.servers)
        first = int(time.time()) - self.servers * spacing - 7200
        many = {**self.entry, "name": "worker", "count": self.servers, "created": first, "spacing": spacing}
        return list(self.box.cloud.create_servers([many]))

    @property
    def command(self) -> List[str]:
        """The command that is measured."""
        return [*self.box.agent_command(), "accounting", "extract"]

    @property
    def environment(self) -> Dict[str, str]:
        """The environment of the agent's processes."""
        return self.box.agent_environment()

    def forget(self) -> None:
        """Remove the agent's state, so that the next extraction is a first one."""
        shutil.rmtree(self.box.state, ignore_errors=True)

    def extract(self) -> Cost:
        """Extract from the cloud, and see that every server got there."""
        cost = child.run(self.command, self.environment)
        if f"{self.servers} new machines, 0 changed, 0 as before, " not in cost.output:
            raise RuntimeError(f"that was no first extraction of {self.servers} servers:\n{cost.output}")
        return cost

    def latency(self, per_server: float) -> None:
        """Let the cloud take its time for each server in a page."""
        self.box.cloud.latency(per_server=per_server)

    def an_hour(self, turn: int, now: int) -> Tuple[int, int]:
        """Let the cloud's clock stand at ``now`` and 1 % of its servers have changed within the hour before.

        A third of them were deleted, a third stopped, a third came anew. Returns how many came, and how many changed.
        """
        site, third = self.box.cloud, max(1, self.servers // 300)
        touched = self.ids[turn * 2 * third : (turn + 1) * 2 * third]
        site.set_clock(now)
        ends = [{"server": server, "action": "delete", "at": now - 3000} for server in touched[:third]]
        site.acts(ends + [{"server": server, "action": "stop", "at": now - 2400} for server in touched[third:]])
        site.create_servers([{**self.entry, "count": third, "created": now - 900, "spacing": 1, "name": f"new{turn}"}])
        return third, len(touched)
