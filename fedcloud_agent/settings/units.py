"""Kinds of values that have a unit or a calendar: durations, sizes, schedules, dates."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Dict, Mapping, Optional

from fedcloud_agent.settings.kinds import Kind


def _with_unit(value: object, units: Mapping[str, int]) -> int:
    match = re.fullmatch(r"(\d{1,15})\s*([A-Za-z]+)", value) if isinstance(value, str) else None
    if match is None or match.group(2) not in units:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{value} has no unit")
        raise ValueError
    return int(match.group(1)) * units[match.group(2)]


def _in_units(value: int, units: Mapping[str, int]) -> str:
    unit = max((u for u in units if value % units[u] == 0), key=lambda u: units[u]) if value else next(iter(units))
    return f"{value // units[unit]}{unit}"


class Duration(Kind[int]):
    """A span of time in seconds, always written with its unit."""

    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}

    def __init__(self, minimum: int = 0, maximum: int = 10 * 365 * 86400) -> None:
        self.minimum, self.maximum = minimum, maximum
        self._range = f"a duration from {_in_units(minimum, self.units)} to {_in_units(maximum, self.units)}"
        self.expects = f"{self._range}, with a unit (s, min, h, d), such as 90s or 4h"

    @property
    def brief(self) -> str:
        """The range alone."""
        return self._range

    def parse(self, value: object) -> int:
        """Return seconds."""
        seconds = _with_unit(value, self.units)
        if not self.minimum <= seconds <= self.maximum:
            raise ValueError
        return seconds

    def write(self, value: int) -> object:
        """Return the shortest exact spelling."""
        return _in_units(value, self.units)

    def schema(self) -> Dict[str, object]:
        """Describe the spelling."""
        return {"type": "string", "pattern": r"^\d{1,15}\s*(s|min|h|d)$"}


class Size(Kind[int]):
    """A number of bytes, always written with its unit (kB, MB, GB are powers of 1000; KiB, MiB, GiB of 1024)."""

    units = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

    def __init__(self, minimum: int = 0, maximum: int = 2**60) -> None:
        self.minimum, self.maximum = minimum, maximum
        self._range = f"a size from {_in_units(minimum, self.units)} to {_in_units(maximum, self.units)}"
        self.expects = f"{self._range}, with a unit (B, kB, MB, GB, KiB, MiB, GiB), such as 600kB"

    @property
    def brief(self) -> str:
        """The range alone."""
        return self._range

    def parse(self, value: object) -> int:
        """Return bytes."""
        size = _with_unit(value, self.units)
        if not self.minimum <= size <= self.maximum:
            raise ValueError
        return size

    def write(self, value: int) -> object:
        """Return the shortest exact spelling."""
        return _in_units(value, self.units)

    def schema(self) -> Dict[str, object]:
        """Describe the spelling."""
        return {"type": "string", "pattern": r"^\d{1,15}\s*(B|kB|MB|GB|KiB|MiB|GiB)$"}


@dataclass(frozen=True)
class When:
    """A schedule: every so many seconds, or by a crontab line in UTC. Exactly one of the two is set."""

    every: Optional[int] = None
    crontab: Optional[str] = None

    def __str__(self) -> str:
        return f"every {Duration().write(self.every)}" if self.every is not None else str(self.crontab)


class Schedule(Kind[When]):
    """When a loop runs: ``every 1h``, or five crontab fields in UTC."""

    expects = "a schedule: 'every DURATION' such as 'every 1h', or five crontab fields (UTC) such as '5 0 1 * *'"
    brief = "a schedule"
    _limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    _names = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"

    def parse(self, value: object) -> When:
        """Return the schedule; numbers of crontab fields are checked against their range."""
        if not isinstance(value, str):
            raise ValueError
        words = value.split()
        if len(words) == 2 and words[0] == "every":
            return When(every=Duration(minimum=10).parse(words[1]))
        if len(words) != 5:
            raise ValueError
        for field, (low, high) in zip(words, self._limits):
            for part in field.lower().split(","):
                match = re.fullmatch(rf"(\*|\d+|{self._names})(?:-(\d+|{self._names}))?(?:/(\d+))?", part)
                if match is None or match.group(3) == "0":
                    raise ValueError(f"{field!r} is not a crontab field")
                if not all(low <= int(n) <= high for n in match.group(1, 2) if n and n.isdigit()):
                    raise ValueError(f"{field!r} is outside {low} to {high}")
        return When(crontab=" ".join(words))

    def write(self, value: When) -> object:
        """Return the spelling."""
        return str(value)

    def schema(self) -> Dict[str, object]:
        """Describe the two spellings."""
        return {"type": "string", "pattern": r"^(every \d+\s*(s|min|h|d)|\S+( \S+){4})$"}


class Date(Kind[int]):
    """A day in UTC, as the instant at which it begins."""

    expects = "a date as YYYY-MM-DD (UTC)"

    def parse(self, value: object) -> int:
        """Return the instant of 00:00:00 UTC. YAML already made a date of an unquoted one."""
        if isinstance(value, str):
            value = datetime.date.fromisoformat(value)
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise ValueError
        start = datetime.datetime.combine(value, datetime.time(), datetime.timezone.utc)
        return int(start.timestamp())

    def write(self, value: int) -> object:
        """Return YYYY-MM-DD."""
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).date().isoformat()

    def schema(self) -> Dict[str, object]:
        """Describe as a date."""
        return {"type": "string", "format": "date"}


class Moment(Kind[int]):
    """An instant, to the minute or second, always with its time zone; in seconds since the epoch."""

    expects = "an instant with its time zone, such as 2026-12-01T08:00Z or 2026-12-01 09:00:00+01:00"

    def parse(self, value: object) -> int:
        """Return the instant. YAML already made one of an unquoted text."""
        if isinstance(value, str):
            # fromisoformat knows no Z before Python 3.11
            value = datetime.datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", value.strip()))
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            raise ValueError
        return int(value.timestamp())

    def write(self, value: int) -> object:
        """Return YYYY-MM-DDThh:mm:ssZ."""
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def schema(self) -> Dict[str, object]:
        """Describe as a date with a time."""
        return {"type": "string", "format": "date-time"}
