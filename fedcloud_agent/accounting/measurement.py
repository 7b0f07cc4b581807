"""Which measurements of a machine are due: pure functions, so that every month can be proved exact.

The repository attributes to a month what a VM's cumulative value in that month's row has grown by since its row before.
So each month in which a VM lived gets a row measured at the month's last second that holds the whole of it (an *edge*),
and the present month a row measured now. Values are cumulative since the VM's start, and never sink.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from fedcloud_agent.accounting.life import Life, cpu, cpu_count, runs, wall
from fedcloud_agent.clock import month_end, month_of, month_start
from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED


class Counters(NamedTuple):
    """What only the cloud can count, cumulative since the start, at the moment of the observation."""

    cpu_seconds: Optional[int] = None
    network_in: Optional[int] = None
    network_out: Optional[int] = None
    """Bytes."""


class Sent(NamedTuple):
    """The newest record that was made of a machine: the values below which no later one may fall."""

    month: int
    measured: int
    wall: int
    cpu: int
    network_in: Optional[int]
    network_out: Optional[int]
    """Bytes."""


class Measurement(NamedTuple):
    """One row of one month. ``end`` is set for the row that completes the machine."""

    month: int
    measured: int
    end: Optional[int]
    status: str
    wall: int
    suspend: int
    cpu: int
    cpu_count: str
    network_in: Optional[int]
    network_out: Optional[int]


class Rules(NamedTuple):
    """The settings that shape a measurement (see accounting.settings)."""

    cpu_duration: str = "allocated"
    cpu_count: str = "last"


class Origin(NamedTuple):
    """From when on a machine is ours to report, where there is no record of it yet.

    ``month``: the first month that may get a row, or None for the month of the first measurement, which must not lie
    before the month ``earliest``: those before are a former tool's for good.
    ``baseline``: what it used before this instant was reported by a former tool under another name.
    """

    month: Optional[int]
    baseline: Optional[int] = None
    earliest: Optional[int] = None

    @property
    def is_ours(self) -> bool:
        """Tell whether all of the machine's life is ours to report; else a former tool reported how it began."""
        return self.month is not None and self.baseline is None


def measurements(
    life: Life,
    counters: Counters,
    status: str,
    changed: Optional[int],
    last: Optional[Sent],
    as_of: int,
    origin: Origin,
    rules: Rules,
) -> List[Measurement]:
    """Return the measurements that are due at ``as_of``, in order of time; empty when there is nothing to report.

    ``as_of`` is the last instant at which the machine was known to be as the ledger has it. An end earlier than the
    newest record is taken as that record's instant: what was once reported is never lowered here.
    """
    horizon = as_of if life.end is None else life.end
    if last is not None:
        horizon = max(horizon, last.measured)
    if horizon < life.start or (last is None and origin.baseline is not None and horizon <= origin.baseline):
        return []
    month = month_of(horizon)
    if last is None and origin.month is None and origin.earliest is not None and month < origin.earliest:
        return []
    if last is not None:
        first = last.month if last.measured < month_end(last.month) else last.month + 1
    elif origin.month is None:
        first = month
    else:
        first = max(month_of(life.start), origin.month)
    base = origin.baseline if origin.baseline is not None and origin.baseline > life.start else None
    due: List[Measurement] = []
    newest = last
    for closing in range(first, month):
        until = month_start(closing + 1)
        edge = _measure(life, counters, newest, closing, until - 1, until, horizon, base, rules)
        due.append(edge._replace(status=_status_at(life, until - 1, status, changed)))
        newest = _as_sent(edge, due[-1].measured)
    current = _measure(life, counters, newest, month, horizon, horizon, horizon, base, rules)
    if life.end is not None:
        current = current._replace(status=COMPLETED, end=horizon)
    else:
        current = current._replace(status=status)
    due.append(current)
    return due


def _as_sent(row: Measurement, measured: int) -> Sent:
    return Sent(row.month, measured, row.wall, row.cpu, row.network_in, row.network_out)


def _status_at(life: Life, at: int, status: str, changed: Optional[int]) -> str:
    ran = runs(life, at)
    if ran is not None:
        return STARTED if ran else SUSPENDED
    # only the present status is known: it held at ``at`` if nothing changed since
    return status if status != COMPLETED and changed is not None and changed <= at else STARTED


def _measure(
    life: Life,
    counters: Counters,
    before: Optional[Sent],
    month: int,
    measured: int,
    until: int,
    horizon: int,
    base: Optional[int],
    rules: Rules,
) -> Measurement:
    whole = wall(life, until)
    ran = whole - (wall(life, base) if base is not None else 0)
    if before is not None and before.wall > ran:
        ran = before.wall
    if rules.cpu_duration == "wall":
        used = ran
    elif rules.cpu_duration == "measured" and counters.cpu_seconds is not None:
        used = _share(life, counters.cpu_seconds, before and before.cpu, before, until, horizon)
    else:
        used = cpu(life, until) - (cpu(life, base) if base is not None else 0)
    if before is not None and before.cpu > used:
        used = before.cpu
    lived = min(until, life.end) if life.end is not None else until
    return Measurement(
        month,
        measured,
        None,
        STARTED,
        ran,
        max(0, lived - life.start - whole),
        used,
        _count(life, month, measured, until, rules),
        _counter(life, counters.network_in, before and before.network_in, before, until, horizon),
        _counter(life, counters.network_out, before and before.network_out, before, until, horizon),
    )


def _counter(
    life: Life, value: Optional[int], known: Optional[int], before: Optional[Sent], until: int, horizon: int
) -> Optional[int]:
    if value is None:
        return known  # a null after a value would have all of it counted again when the value comes back
    return _share(life, value, known, before, until, horizon)


def _share(life: Life, value: int, known: Optional[int], before: Optional[Sent], until: int, horizon: int) -> int:
    """Return a counter at ``until``: what was not observed then grew with the time that the machine ran."""
    low = known or 0
    if value <= low:
        return low
    if until >= horizon:
        return value
    ran_before = wall(life, before.measured) if before is not None else 0
    span = wall(life, horizon) - ran_before
    return low + ((value - low) * max(0, wall(life, until) - ran_before) // span if span > 0 else 0)


def _count(life: Life, month: int, measured: int, until: int, rules: Rules) -> str:
    if rules.cpu_count == "last" or len(life.sizes) == 1:
        return str(cpu_count(life, measured))
    begin = month_start(month)
    ran = wall(life, until) - wall(life, begin)
    if ran <= 0:
        return str(cpu_count(life, measured))
    mean = round((cpu(life, until) - cpu(life, begin)) * 1000 / ran)
    return f"{mean // 1000}.{mean % 1000:03d}".rstrip("0").rstrip(".")
