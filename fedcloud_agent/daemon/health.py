"""How each loop fares, worked out from what the runs and the daemon wrote. Pure: the time is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from fedcloud_agent import outcome
from fedcloud_agent.daemon.state import DaemonState, InProgress, Planned
from fedcloud_agent.errors import TryAgainError
from fedcloud_agent.outcome import Outcome

LATE = 120
"""Seconds after its turn at which a loop that a living daemon has not started is overdue."""

GOOD, RUNNING, WAITING, AGAIN, FAILED, OVERDUE, STRANGE = (
    "good",
    "running",
    "waiting",
    "again",
    "failed",
    "overdue",
    "unscheduled",
)
"""The verdicts. ``waiting``: never ran, and its first turn is to come; ``again``: cut short or locked, and will be
tried again; ``unscheduled``: it ran, but the daemon does not know it (any more)."""


@dataclass(frozen=True)
class Row:
    """One loop of one cloud."""

    loop: str
    cloud: Optional[str]
    verdict: str
    last: Optional[Outcome]
    next: Optional[int]
    since: Optional[int]
    """When the run in progress began."""

    @property
    def title(self) -> str:
        """What people call it."""
        return outcome.title(self.loop, self.cloud)

    @property
    def backlog(self) -> Optional[float]:
        """What still waits to be sent, where the loop sends."""
        return self.last.figures.get("backlog") if self.last else None

    @property
    def ill(self) -> bool:
        """Whether somebody should look."""
        return self.verdict in (FAILED, OVERDUE)


def rows(daemon: Optional[DaemonState], alive: bool, outcomes: Sequence[Outcome], now: int) -> List[Row]:
    """Return every loop that the daemon knows or that ever ran, in the daemon's order, then by name."""
    last: Dict[Tuple[str, Optional[str]], Outcome] = {(o.loop, o.cloud): o for o in outcomes}
    planned: Dict[Tuple[str, Optional[str]], Planned] = {}
    running: Dict[Tuple[str, Optional[str]], InProgress] = {}
    if daemon is not None:
        planned = {(p.loop, p.cloud): p for p in daemon.loops}
        running = {(r.loop, r.cloud): r for r in daemon.running} if alive else {}
    names = list(planned) + sorted(set(last) - set(planned), key=lambda name: outcome.key(*name))
    result = []
    for name in names:
        plan, run, done = planned.get(name), running.get(name), last.get(name)
        turn = plan.next if plan else None
        verdict = _verdict(plan, run is not None, done, alive, now)
        result.append(Row(name[0], name[1], verdict, done, turn if alive else None, run.started if run else None))
    return result


def _verdict(plan: Optional[Planned], running: bool, done: Optional[Outcome], alive: bool, now: int) -> str:
    again = done is not None and done.exit_code == TryAgainError.exit_code
    if done is not None and not done.good and not (again and done.failures < 3):
        return FAILED
    if running:
        return RUNNING
    # a daemon that died says with its last words when the turn would have been
    if plan is not None and plan.next is not None and now > plan.next + LATE:
        return OVERDUE
    if again:
        return AGAIN
    if done is None:
        return WAITING
    return GOOD if plan is not None or not alive else STRANGE
