"""Random lives of servers, such that a cloud tells enough of them for their usage to be known to the second."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Set

from fedcloud_agent.clock import DAY
from tests.federation.box import PROJECT, USER
from tests.federation.openstack.controller import OpenStackSimulator

FLAVORS = ("small", "large")
_ACTS: Dict[str, List[str]] = {
    "active": ["stop", "stop", "pause", "suspend", "shelve", "reboot", "resize", "resize", "delete", "delete", "error"],
    "stopped": ["start", "start", "start", "delete"],
    "paused": ["unpause"],
    "suspended": ["resume"],
    "shelved": ["unshelve", "delete"],
    "resized": ["confirm_resize", "revert_resize"],
    "error": ["delete", "reset_state"],
}
_STATES = {
    "stop": "stopped",
    "start": "active",
    "pause": "paused",
    "unpause": "active",
    "suspend": "suspended",
    "resume": "active",
    "shelve": "shelved",
    "unshelve": "active",
    "reboot": "active",
    "resize": "resized",
    "confirm_resize": "active",
    "revert_resize": "active",
    "error": "error",
    "reset_state": "active",
    "delete": "deleted",
}
_ALIVE = 12


class Lives:
    """The servers of a cloud, and what happens to them.

    The cloud tells of a server's last change only, and of a deleted one until its row is purged. So nothing more
    happens to a server that changed until :meth:`seen`, which is when the agent has surely looked.
    """

    def __init__(self, cloud: OpenStackSimulator, random: random.Random) -> None:
        self._cloud, self._random = cloud, random
        self._states: Dict[str, str] = {}
        self._flavors: Dict[str, str] = {}
        self._touched: Set[str] = set()
        self._number = 0

    def seen(self) -> None:
        """Note that an extraction has come to its end since the last change."""
        self._touched.clear()

    def go_on(self, begin: int, end: int) -> int:
        """Let things happen in the seconds after ``begin`` up to ``end``, and return how many."""
        count = 0
        for _ in range(self._random.randint(0, 5)):
            at = self._random.randint(begin + 1, end)
            living = sorted(key for key, state in self._states.items() if state not in ("deleted", "purged"))
            if len(living) < 3 or (len(living) < _ALIVE and self._random.random() < 0.4):
                self._create(at)
            else:
                self._act(self._random.choice(living), at)
            count += 1
        return count

    def purge(self) -> None:
        """Let the cloud forget deleted servers whose end was seen."""
        for key in sorted(k for k, s in self._states.items() if s == "deleted" and k not in self._touched):
            if self._random.random() < 0.5:
                self._cloud.purge([key])
                self._states[key] = "purged"

    def _create(self, at: int) -> None:
        self._number += 1
        key = f"{self._random.getrandbits(32):08x}-0000-4000-8000-{self._number:012d}"
        flavor = self._random.choice(FLAVORS)
        entry: Dict[str, Any] = {"project": PROJECT, "user": USER, "flavor": flavor, "id": key, "created": at}
        self._cloud.create_servers([{**entry, "name": f"vm-{self._number}"}])
        self._states[key], self._flavors[key] = "active", flavor
        self._touched.add(key)

    def _act(self, key: str, at: int) -> None:
        if key in self._touched:
            return
        action = self._random.choice(_ACTS[self._states[key]])
        more: Dict[str, Any] = {}
        if action == "resize":
            self._flavors[key] = FLAVORS[1 - FLAVORS.index(self._flavors[key])]
            more["flavor"] = self._flavors[key]
        if action == "revert_resize":
            self._flavors[key] = FLAVORS[1 - FLAVORS.index(self._flavors[key])]
        self._cloud.act(key, action, at=at, **more)
        self._states[key] = _STATES[action]
        self._touched.add(key)


def pause(random: random.Random) -> int:
    """Return how many seconds pass until the next thing is killed: mostly hours, at times weeks."""
    return random.choice(
        [random.randint(600, 6 * 3600), random.randint(3600, DAY), random.randint(DAY, 5 * DAY), 23 * DAY]
    )
