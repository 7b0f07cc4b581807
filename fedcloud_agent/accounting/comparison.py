"""One machine as the cloud shows it, held against what the ledger has and what was published: pure functions."""

from __future__ import annotations

from typing import FrozenSet, Iterator, Mapping, NamedTuple, Optional, Sequence

from fedcloud_agent.accounting.correction import values_at
from fedcloud_agent.accounting.life import Life
from fedcloud_agent.accounting.measurement import Origin
from fedcloud_agent.accounting.record import KEYS, harmless, parse
from fedcloud_agent.clock import month_name, month_of
from fedcloud_agent.clouds.contract import COMPLETED, VirtualMachine

ROUNDING = 1
"""Seconds by which two ways of measuring may differ."""


class Known(NamedTuple):
    """What the ledger has of a machine."""

    id: int
    uuid: str
    status: str
    start: Optional[int]
    end: Optional[int]
    first_seen: int
    alive_at: Optional[int]
    due: Optional[int]
    unreadable: Optional[str]


class Recorded(NamedTuple):
    """A record of a machine, as far as it is compared."""

    month: int
    measured: int
    wall: int
    content: str
    key_fields: str
    published: Optional[str]


class Drift(NamedTuple):
    """Where cloud and record say different things. ``seconds``: by how much, where it is a time; cloud minus record."""

    what: str
    published: str
    told: str
    seconds: Optional[int]


def drifts(
    told: VirtualMachine, life: Life, records: Sequence[Recorded], origin: Origin, open_since: int
) -> Iterator[Drift]:
    """Yield the drifts of a machine.

    ``life``: as the cloud tells it now. ``records``: at least one, by month. ``open_since``: the first month that may
    still change its key fields; what older ones were published with stays, and is no drift.
    """
    *older, newest = records
    fields = parse(newest.content)
    start = int(fields["StartTime"])
    if start != life.start:
        yield _time("start", start, life.start)
    completed = fields["Status"] == COMPLETED
    if completed and life.end is None:
        yield Drift("end", str(newest.measured), "alive", None)
    elif life.end is not None and (completed or life.end < newest.measured) and life.end != newest.measured:
        yield _time("end", newest.measured, life.end)
    for row in (*older, newest):
        ran = values_at(life, row.month, row.measured, completed and row is newest, origin.baseline).wall
        if abs(ran - row.wall) > ROUNDING:
            yield _time(f"running time up to {month_name(row.month)}", row.wall, ran)
    if newest.month >= open_since:
        yield from _keys(told, dict(zip(KEYS, (newest.published or newest.key_fields).split("\t"))))


def _time(what: str, published: int, told: int) -> Drift:
    return Drift(what, str(published), str(told), told - published)


def _keys(told: VirtualMachine, keys: Mapping[str, str]) -> Iterator[Drift]:
    if "." not in keys["CpuCount"] and keys["CpuCount"] != str(told.cpu_count):
        yield Drift("cpu count", keys["CpuCount"], str(told.cpu_count), None)
    user = harmless(told.global_user) if told.global_user else None
    if user is not None and keys["GlobalUserName"] not in (user, "withheld"):
        yield Drift("owner", keys["GlobalUserName"], user, None)
    fqan, vo = keys["FQAN"], harmless(told.vo)
    if (fqan.split("/")[1] if fqan.startswith("/") else fqan) != vo:
        yield Drift("VO", fqan, vo, None)


def missing_months(known: Known, months: Sequence[int], origin: Origin, as_of: int) -> FrozenSet[int]:
    """Return the months of a machine's life that have no record although they should. ``as_of``: of its scope."""
    if known.start is None or (known.due is not None and known.due <= as_of):
        return frozenset()  # never started; or its next record is to be made first
    until = known.end if known.end is not None else known.alive_at
    if until is None or (origin.baseline is not None and until <= origin.baseline and not months):
        return frozenset()
    last = max(month_of(until), *months) if months else month_of(until)
    first = last if origin.month is None else max(month_of(known.start), origin.month)
    if origin.month is None and months:
        first = min(months)
    return frozenset(range(first, last + 1)) - frozenset(months)


def life_told(told: VirtualMachine) -> Optional[Life]:
    """Return the life that the cloud tells, or None if it never began."""
    if told.start is None:
        return None
    return Life(told.start, told.end, told.running, ((told.start, told.cpu_count),))


def is_new_since(told: VirtualMachine, as_of: int) -> bool:
    """Tell whether the cloud says something of a machine that the last extraction cannot have seen."""
    return max(told.changed or 0, told.start or 0, told.end or 0) > as_of
