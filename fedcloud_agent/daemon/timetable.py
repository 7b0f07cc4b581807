"""APScheduler without a thread of its own: the daemon's loop turns it, so that one thread does everything."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable, Dict

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.date import DateTrigger


class _Scheduler(BaseScheduler):  # type: ignore[misc]  # APScheduler is not typed
    """As APScheduler's documentation asks of a scheduler for a loop of one's own."""

    def wakeup(self) -> None:
        """Do nothing: the daemon's loop asks before it sleeps."""

    def shutdown(self, wait: bool = True) -> None:
        """Give back what APScheduler holds."""
        super().shutdown(wait)

    def _create_default_executor(self) -> Any:
        return DebugExecutor()  # runs a job there and then, in our thread


class Timetable:
    """Which loop is due when; calls ``due`` with the key of each whose time has come."""

    def __init__(self, due: Callable[[str], None]) -> None:
        self._due = due
        self._scheduler = _Scheduler(timezone="UTC")
        self._scheduler.start()

    def plan(self, key: str, instant: int) -> None:
        """Set the one next turn of a loop; a turn that was slept over comes late, but comes."""
        at = datetime.fromtimestamp(instant, timezone.utc)
        self._scheduler.add_job(
            self._due,
            DateTrigger(at, timezone="UTC"),
            args=[key],
            id=key,
            replace_existing=True,
            coalesce=True,
            misfire_grace_time=None,
        )

    def forget(self, key: str) -> None:
        """Take away a loop's next turn, if it has one."""
        try:
            self._scheduler.remove_job(key)
        except JobLookupError:
            return

    def planned(self) -> Dict[str, int]:
        """Return the instant of each loop's next turn, by key."""
        return {job.id: int(job.next_run_time.timestamp()) for job in self._scheduler.get_jobs()}

    def turn(self) -> float:
        """Call for every loop that is due and return the seconds until the next one is."""
        wait = self._scheduler._process_jobs()
        return float("inf") if wait is None else max(0.0, float(wait))

    def close(self) -> None:
        """Forget all turns."""
        self._scheduler.shutdown(wait=False)
