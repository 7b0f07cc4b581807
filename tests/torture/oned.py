"""Random lives of the machines of an oned."""

from __future__ import annotations

import random
from typing import Any, Dict, Mapping, Set, Tuple

from tests.federation.opennebula import OnedSimulator

_ACTS: Dict[str, Dict[str, str]] = {
    "running": {
        **dict.fromkeys(("live_migrate", "migrate", "attach_disk", "snapshot", "resize", "recreate"), "running"),
        "suspend": "suspended",
        "poweroff": "poweroff",
        "stop": "stopped",
        "undeploy": "undeployed",
        "terminate": "done",
        "terminate_hard": "done",
    },
    "suspended": {"resume": "running", "migrate": "suspended", "stop": "stopped", "terminate": "done"},
    "poweroff": {
        **dict.fromkeys(("attach_disk", "migrate", "resize"), "poweroff"),
        "resume": "running",
        "undeploy": "undeployed",
        "terminate": "done",
    },
    "stopped": {"resume": "running", "terminate": "done"},
    "undeployed": {"resume": "running", "terminate": "done"},
}
"""What may happen in each state, and where it leads."""

_PHASES: Tuple[Mapping[str, int], ...] = (
    {},
    {"prolog": 70, "boot": 40, "save": 20, "shutdown": 25, "move": 90, "epilog": 15},
    {"boot": 5, "move": 3600, "epilog": 600},
)
_ALIVE = 10


class OnedLives:
    """The machines of an oned, and what happens to them.

    Their records tell all of it whenever the agent looks, but for three things that wait until :meth:`seen`: a resize
    (how many processors there were before is in no record, and only the last is dated), the migration of a guest that
    is off (which moves the end of its run), and that oned forgets.
    """

    def __init__(self, oned: OnedSimulator, random: random.Random) -> None:
        self._oned, self._random = oned, random
        self._states: Dict[int, str] = {}
        self._vcpus: Dict[int, int] = {}
        self._idle: Dict[int, int] = {}
        """When what was told of a machine last is surely over."""
        self._now = 0
        self._touched: Set[int] = set()
        self._resized: Set[int] = set()
        """Machines whose number of processors the agent does not know, or has to learn."""

    def seen(self) -> None:
        """Note that an extraction has come to its end since the last change; what was under way is still to be seen."""
        self._touched = {key for key in self._touched if self._idle[key] >= self._now}
        self._resized = {key for key in self._resized if self._idle[key] >= self._now}

    def go_on(self, begin: int, end: int) -> None:
        """Let things happen in the seconds after ``begin`` up to ``end``; ids are given in order of time."""
        self._now = end
        for at in sorted(self._random.randint(begin + 1, end) for _ in range(self._random.randint(0, 6))):
            living = [key for key, state in self._states.items() if state not in ("done", "purged")]
            if len(living) < 3 or (len(living) < _ALIVE and self._random.random() < 0.3):
                self._create(at)
            else:
                self._act(self._random.choice(living), at)

    def purge(self) -> None:
        """Let oned forget machines whose end was seen, and records that were."""
        known = [key for key, state in self._states.items() if key not in self._touched and state != "purged"]
        done = [key for key in known if self._states[key] == "done" and self._random.random() < 0.5]
        if done:
            self._oned.purge_done(done)
            self._states.update(dict.fromkeys(done, "purged"))
        rest = [key for key in known if key not in done]
        if rest and self._random.random() < 0.2:
            self._oned.purge_history(rest)

    def _create(self, at: int) -> None:
        vcpu = self._random.randint(1, 4)
        phases = {"pending": self._random.choice((0, 0, 45)), "prolog": 10, "boot": 5}
        key = self._oned.create_vm("jane", name=f"vm-{at}", vcpu=vcpu, created=at, **phases)
        self._states[key], self._vcpus[key], self._idle[key] = "running", vcpu, at + 60
        self._touched.add(key)
        self._resized.add(key)

    def _act(self, key: int, at: int) -> None:
        possible = _ACTS[self._states[key]]
        action = self._random.choice(sorted(possible))
        phases = self._random.choice(_PHASES)
        if at <= self._idle[key] or (action == "resize" and key in self._resized):
            return
        if action == "migrate" and self._states[key] != "running" and key in self._touched:
            return
        more: Dict[str, Any] = {"host": self._random.randint(0, 1)}
        if action == "resize":
            self._vcpus[key] = more["vcpu"] = self._vcpus[key] % 4 + 1
            self._resized.add(key)
        self._oned.act(key, action, at=at, **more, **phases)
        self._states[key], self._idle[key] = possible[action], at + sum(phases.values())
        self._touched.add(key)
