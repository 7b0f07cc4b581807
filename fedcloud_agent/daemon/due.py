"""When a loop is due. Pure: instants in, an instant out; crontab lines are worked out by APScheduler, in UTC."""

from __future__ import annotations

import functools
import re
from datetime import datetime, timezone
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import When

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def next_due(last: Optional[int], when: Sequence[When], now: int) -> Optional[int]:
    """Return the instant, not before ``now``, at which a loop that last began at ``last`` is to run; None: never.

    Whatever was missed, asleep or stopped, is made up for by one run, now. A loop that never ran starts its interval
    now, but waits for the next turn of its crontab. A ``last`` in the future was written before the clock was set
    back: it says nothing, and the loop waits for one interval from now.
    """
    candidates = []
    for schedule in when:
        if schedule.every is not None:
            candidates.append(now if last is None else min(last, now) + schedule.every)
        elif schedule.crontab is not None:
            fire = _first_after(schedule.crontab, now if last is None else min(last, now))
            candidates += [] if fire is None else [fire]
    return max(now, min(candidates)) if candidates else None


def check(when: Sequence[When]) -> None:
    """Raise ConfigurationError for a crontab line that can mean nothing, such as a range that runs backwards."""
    for schedule in when:
        if schedule.crontab is not None:
            _triggers(schedule.crontab)


def _first_after(crontab: str, instant: int) -> Optional[int]:
    after = datetime.fromtimestamp(instant + 1, timezone.utc)
    fires = [trigger.get_next_fire_time(None, after) for trigger in _triggers(crontab)]
    return min((int(fire.timestamp()) for fire in fires if fire is not None), default=None)


@functools.lru_cache(maxsize=64)
def _triggers(crontab: str) -> Tuple[Any, ...]:
    """Return the triggers whose earliest turn is that of the line."""
    from apscheduler.triggers.cron import CronTrigger

    minute, hour, day, month, weekday = crontab.lower().split()
    for number, name in enumerate(_MONTHS, 1):
        month = month.replace(name, str(number))
    try:
        # where both the day of the month and the day of the week are restricted, cron runs when either matches
        days: List[Tuple[str, str]] = [(day, _weekdays(weekday))]
        if not day.startswith("*") and not weekday.startswith("*"):
            days = [(day, "*"), ("*", _weekdays(weekday))]
        return tuple(
            CronTrigger(minute=minute, hour=hour, day=d, month=month, day_of_week=w, timezone="UTC") for d, w in days
        )
    except ValueError as error:
        raise ConfigurationError(
            f"the schedule {crontab!r} is no crontab line: {error}",
            hint="minute, hour, day, month, weekday, in UTC, such as '5 0 1 * *'",
        ) from error


def _weekdays(field: str) -> str:
    """Spell cron's days of the week by name: cron counts from Sunday, APScheduler from Monday."""
    if field == "*":
        return field
    for number, name in enumerate(_DAYS):
        field = field.replace(name, str(number))
    return ",".join(dict.fromkeys(_DAYS[day % 7] for part in field.split(",") for day in _expand(part)))


def _expand(part: str) -> Iterator[int]:
    match = re.fullmatch(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?", part)
    if match is None:
        raise ValueError(f"{part!r} is not a day of the week")
    first = 0 if match.group(1) == "*" else int(match.group(1))
    last = 6 if match.group(1) == "*" else int(match.group(2) or first)
    # fri-mon: a week is a circle
    yield from range(first, last + (7 if last < first else 0) + 1, int(match.group(3) or 1))
