"""When a server ran, from the actions that were recorded on it. Pure."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Iterable, List, Optional, Tuple

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, VirtualMachine
from fedcloud_plugins.openstack.mapping import instant

STOPS = frozenset({"stop", "suspend", "pause", "shelve", "shelveOffload", "delete", "softDelete"})
"""``delete`` may be a soft one, after which ``restore`` is possible; a guest that halts is recorded as ``stop``."""
RUNS = frozenset({"start", "resume", "unpause", "unshelve", "restore", "reboot", "rescue", "unrescue"})

_QUIET_SECONDS = 5
_LONGEST_BUILD = 600


def untouched(created: int, launched: Optional[int], changed: int) -> bool:
    """Tell whether nothing happened to a running server since it was built, so that its actions need not be read.

    Unshelving and resizing set the launch anew: a launch long after the creation may be of that kind.
    """
    return launched is not None and changed - launched <= _QUIET_SECONDS and launched - created <= _LONGEST_BUILD


def running(machine: VirtualMachine, actions: Iterable[Any]) -> Tuple[Tuple[int, Optional[int]], ...]:
    """Return the intervals in which ``machine`` ran, in order and disjoint; the last one may be open.

    ``actions`` are in the order of the API, the latest first. Those that failed changed nothing. What the machine is
    now has the last word: where the record of actions is not complete, the last interval ends or begins at the
    machine's latest change. Raises ValueError, KeyError or TypeError when an action is not shaped as one.
    """
    if machine.start is None:
        return ()
    found: List[Tuple[int, Optional[int]]] = []
    began: Optional[int] = machine.start
    last = machine.start
    done = [(instant(a["start_time"]), a["action"]) for a in actions if a.get("message") is None]
    # of those of one second the order in which they came is all that is known, and sorting keeps it
    done.reverse()
    for at, action in sorted(done, key=itemgetter(0)):
        last = max(at, last)
        if began is not None and action in STOPS:
            if last > began:
                found.append((began, last))
            began = None
        elif began is None and action in RUNS:
            began = last
    if machine.status == COMPLETED:
        end = machine.end if machine.end is not None else last
        if began is not None and end > began:
            found.append((began, end))
    elif machine.status == STARTED:
        if began is None:
            began = max(last, machine.changed or last)
        found.append((began, None))
    elif began is not None:
        found.append((began, max(began, machine.changed or began)))
    return tuple((a, b) for a, b in found if b is None or b > a)
