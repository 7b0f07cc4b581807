"""A simulated OpenNebula with so many machines of twenty history records each, and the agent's command on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Tuple

from bench.session import Session
from bench.site import Site
from tests.federation.box import VO

RECORDS = 20
_SPAN = 20 * 86400
"""Seconds over which the machines came."""
_LONGEST = 3 * 86400
"""Seconds in which the records of one machine have surely begun."""


class Oned(Site):
    """A box without a broker, whose oned holds ``size`` live machines that came over twenty days, three days ago.

    oned and the agent have a clock that stands still. Every machine has RECORDS history records.
    """

    patience = 3600.0

    def __init__(self, directory: Path, size: int) -> None:
        super().__init__(directory, size, openstack=False, opennebula="6.10")
        self.now = int(time.time())
        self.hours = 0

    def fill(self) -> None:
        """Let there be machines that the simulator works out from their ids."""
        self.box.set_clock(self.now)
        spacing = max(1, _SPAN // self.size)
        start = self.now - self.size * spacing - _LONGEST
        owners = [["jane", VO]]
        self.box.oned.fleet(self.size, start, records=RECORDS, spacing=spacing, live_every=1, owners=owners)

    def an_hour(self) -> Tuple[int, int]:
        """Let an hour pass in which 1 % of the machines change; return how many came anew, and how many changed.

        A quarter of them was terminated, one suspended, one migrated alive, and one came.
        """
        oned, some = self.box.oned, max(1, self.size // 400)
        first = 3 * some * self.hours
        self.hours += 1
        self.now += 3600
        self.box.set_clock(self.now)
        acts = [("terminate", {}), ("suspend", {}), ("live_migrate", {"host": 1})]
        for number, (action, details) in enumerate(acts):
            keys = range(first + number * some, first + (number + 1) * some)
            oned.acts([{"vm": key, "action": action, "at": self.now - 2400, **details} for key in keys])
        oned.create_vms([{"user": "jane", "count": some, "created": self.now - 1800, "spacing": 1}])
        return some, 3 * some


def fleets_of(session: Session) -> Tuple[Oned, Oned]:
    """Return the large and the small oned that figures share; the session closes them."""
    if "oned" not in session.kept:
        sizes = session.size(100_000, 2000), session.size(10_000, 200)
        session.kept["oned"] = tuple(session.enter(Oned(session.room("oned"), size)) for size in sizes)
    large, small = session.kept["oned"]
    assert isinstance(large, Oned) and isinstance(small, Oned)
    return large, small
