"""How many machines a project has, by state. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence

from fedcloud_agent.clouds.offer import Machines
from fedcloud_agent.errors import RemoteDataError

RUNNING, WAITING, SUSPENDED, HALTED = "running", "waiting", "suspended", "halted"

STATES: Mapping[str, str] = {
    **dict.fromkeys(("ACTIVE", "HARD_REBOOT", "MIGRATING", "PASSWORD", "REBOOT", "REBUILD", "RESCUE"), RUNNING),
    **dict.fromkeys(("RESIZE", "REVERT_RESIZE", "VERIFY_RESIZE"), RUNNING),
    "BUILD": WAITING,
    **dict.fromkeys(("PAUSED", "SUSPENDED"), SUSPENDED),
    # they hold their place in the project and do not run
    **dict.fromkeys(("ERROR", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SOFT_DELETED"), HALTED),
}
"""The compute API's words for a server's status. Servers with another word, as UNKNOWN, count in the total only."""


def statuses(rows: Iterable[Any], place: str) -> Dict[str, str]:
    """Return the status of each server by its id. Raises RemoteDataError, naming ``place``, for what is no server."""
    found: Dict[str, str] = {}
    for row in rows:
        id_, status = (row.get("id"), row.get("status")) if isinstance(row, dict) else (None, None)
        if not isinstance(id_, str) or not isinstance(status, str):
            raise RemoteDataError(f"{place} listed something that is no server: {row!r:.200}")
        found[id_] = status
    return found


def count(told: Iterable[str]) -> Machines:
    """Return how many servers have a status of each kind."""
    words = Counter(told)
    kinds: Counter[Optional[str]] = Counter()
    for word, number in words.items():
        kinds[STATES.get(word)] += number
    return Machines(
        total=sum(words.values()),
        running=kinds[RUNNING],
        waiting=kinds[WAITING],
        suspended=kinds[SUSPENDED],
        halted=kinds[HALTED],
    )


def sum_of(parts: Sequence[Optional[Machines]]) -> Optional[Machines]:
    """Return all machines together; what one part does not tell is not told of the whole."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None

    def total(name: str) -> Optional[int]:
        values = [getattr(part, name) for part in known]
        return None if None in values else sum(values)

    return Machines(*(total(name) for name in ("total", "running", "waiting", "suspended", "halted")))
