"""How many machines there are, by group and by what they do. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterable, Mapping, Optional, Tuple

from fedcloud_agent.clouds.offer import Machines
from fedcloud_plugins.opennebula.row import Row
from fedcloud_plugins.opennebula.states import ACTIVE, is_over, may_run, word_of

RUNNING = "running"
WAITING = "waiting"
SUSPENDED = "suspended"
HALTED = "halted"
OTHER = "other"
"""In a state that is not known to us."""

_STATES: Mapping[int, str] = {
    **dict.fromkeys((0, 1, 2, 10, 11), WAITING),
    **dict.fromkeys((4, 5), SUSPENDED),
    **dict.fromkeys((8, 9), HALTED),
}
# INIT, PROLOG, BOOT, CLEANUP_RESUBMIT, BOOT_FAILURE, PROLOG_FAILURE
_NOT_YET = frozenset({0, 1, 2, 15, 36, 39})


def doing(row: Row) -> Optional[str]:
    """Return what a machine does, or None for one that came to its end."""
    if is_over(row):
        return None
    if row.state != ACTIVE:
        return _STATES.get(row.state, OTHER)
    if row.lcm_state in _NOT_YET:
        return WAITING
    if may_run(row):
        return RUNNING
    return SUSPENDED if "SUSPEND" in word_of(row) else HALTED


def counted(rows: Iterable[Row]) -> Tuple[Machines, Mapping[int, Machines]]:
    """Return the machines of the whole cloud and those of each group, without keeping any."""
    found: Dict[int, Counter[str]] = {}
    for row in rows:
        kind = doing(row)
        if kind is not None:
            found.setdefault(row.gid, Counter())[kind] += 1
    whole: Counter[str] = Counter()
    for one in found.values():
        whole.update(one)
    return _machines(whole), {group: _machines(one) for group, one in found.items()}


def _machines(count: Mapping[str, int]) -> Machines:
    kinds = (RUNNING, WAITING, SUSPENDED, HALTED)
    return Machines(sum(count.values()), *(count.get(kind, 0) for kind in kinds))
