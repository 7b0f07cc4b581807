"""An explanation of a machine, in words and as JSON."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence

from fedcloud_agent.accounting.centre import NOBODY
from fedcloud_agent.accounting.explanation import Account, Explanation, Machine, Month, Whereabouts
from fedcloud_agent.accounting.holding import Held
from fedcloud_agent.cli.output import plain_table
from fedcloud_agent.clock import month_name, utc

_SHOWN = 5
"""So many intervals, sizes and key fields are told one by one."""


def lines(found: Explanation) -> Iterator[str]:
    """Yield what people read, on one screen for a machine of some months."""
    yield from _machine(found.machine)
    for remark in found.remarks:
        yield f"  ! {remark}"
    for account in found.accounts:
        yield ""
        yield from _account(account)


def _machine(machine: Machine) -> Iterator[str]:
    told = machine.told
    yield f"{told.name}  {told.uuid}"
    listed = f", last listed {utc(machine.listed_at)}," if machine.listed_at else ""
    yield f"The cloud {machine.cloud}{listed} said of it:"
    if told.start is None:
        life = "never started"
    else:
        life = f"{utc(told.start)} to {utc(told.end) if told.end is not None else 'now'}"
        life += f", ran {_hours(machine.wall)} h" if machine.wall is not None else ""
    alive = f"last known alive {utc(machine.alive_at)}" if machine.alive_at else "never seen alive"
    yield f"  status    {told.status} (the cloud's word: {told.cloud_status})"
    yield f"  seen      first {utc(machine.first_seen)}, {alive}"
    yield f"  life      {life}"
    if told.running is not None:
        intervals = [f"{utc(begin)} to {utc(stop) if stop is not None else 'now'}" for begin, stop in told.running]
        yield f"  ran       {_some(intervals)}"
    yield f"  size      {told.cpu_count} CPU, {told.memory} MB of memory, {told.disk} GB of disk"
    if machine.sizes:
        yield f"  resized   {_some([f'{count} CPU since {utc(since)}' for since, count in machine.sizes])}"
    yield f"  owner     {told.global_user or 'not told'} (user {told.user}, project {told.group})"
    yield f"  VO        {told.vo or 'none'}"
    yield f"  image     {told.image or 'not told'}"


def _account(account: Account) -> Iterator[str]:
    yield f"Records for {account.destination}:"
    for remark in account.remarks:
        yield f"  ! {remark}"
    if not account.months:
        return
    records = [
        (
            *(month_name(one.month), one.keys["Status"], utc(one.figures.measured)),
            *(_hours(one.figures.wall), _hours(one.figures.cpu), _where(one.where)),
        )
        for one in account.months
    ]
    yield from _indented(plain_table(("month", "status", "measured", "wall h", "cpu h", "where it is"), records))
    yield "  (hours since the machine's start, as records have them; the months are their differences)"
    yield f"The portal shows of it, by what {account.destination} acknowledged:"
    shown = [row for one in account.months for row in _shown(one)]
    columns = ("month", "wall h", "CPUs", "elapsed x CPUs h", "cpu h", "under", "")
    yield from _indented(plain_table(columns, shown))
    for one in account.months:
        if one.otherwise:
            fields = [
                f"{key} {shown or 'nothing'} (now {made or 'nothing'})" for key, (made, shown) in one.otherwise.items()
            ]
            why = (
                "it was published with them and is no longer tidied"
                if one.frozen
                else "until its newest record arrives"
            )
            yield f"  {month_name(one.month)} stands under {', '.join(fields)}: {why}"


def _shown(one: Month) -> Iterator[Sequence[str]]:
    """Yield the line of a month, and a second one for what it will be where that is something else."""
    frozen = "frozen" if one.frozen else "open"
    if one.assumed:
        frozen += ", after a former tool's record"
    name = month_name(one.month)
    if one.now is None:
        yield (name, "-", "-", "-", "-", "nothing yet", "")
    else:
        yield (name, *_held(one.now), frozen)
    if one.then is not None and one.then != one.now:
        yield ("", *_held(one.then), "once the rest has arrived")


def _held(held: Held) -> List[str]:
    keys, usage = held.keys, held.usage
    processors = None if usage.wall is None else usage.wall * keys.cpu_count
    names = [keys.vo, keys.user, keys.image]
    under = f"{keys.status}, " + ", ".join(name for name in names if name != NOBODY)
    return [_hours(usage.wall), f"{keys.cpu_count:g}", _hours(processors), _hours(usage.cpu), under]


def _where(where: Whereabouts) -> str:
    told = []
    if where.rejected is not None:
        told.append(f"set aside: {where.rejected}")
    if where.message is not None:
        sent = f"first sent {utc(where.attempted)}" if where.attempted else "not sent yet"
        since = f" since {utc(where.packed)}" if where.packed else ""
        told.append(f"in message {where.message}{since}, {sent}")
    if where.pending:
        told.append("a newer one waits for its answer" if where.message else "waits to be sent")
    if where.acknowledged is not None:
        before = "" if not told else "before that "
        told.append(f"{before}acknowledged {utc(where.acknowledged)} by {where.peer or 'a peer that was lost since'}")
    return "; ".join(told)


def _hours(seconds: Optional[float]) -> str:
    return "-" if seconds is None else f"{seconds / 3600:.2f}"


def _some(items: Sequence[str]) -> str:
    left = len(items) - _SHOWN
    return "; ".join(items[-_SHOWN:]) + (f"; and {left} before" if left > 0 else "")


def _indented(table: Sequence[str]) -> Iterator[str]:
    for line in table:
        yield f"  {line}"


def as_json(found: Explanation) -> Dict[str, Any]:
    """Return what programs read. Instants in seconds since the epoch, durations in seconds, network in GB."""
    machine = found.machine
    return {
        "machine": {**machine.told._asdict(), **{k: v for k, v in machine._asdict().items() if k != "told"}},
        "remarks": found.remarks,
        "destinations": {account.destination: _account_json(account) for account in found.accounts},
    }


def _account_json(account: Account) -> Dict[str, Any]:
    chosen = account.first_run
    return {
        "first_run": None if chosen is None else {"policy": chosen.policy, "baseline": chosen.date},
        "remarks": account.remarks,
        "months": [_month_json(one) for one in account.months],
    }


def _month_json(one: Month) -> Dict[str, Any]:
    return {
        "month": month_name(one.month),
        "record": {"keys": one.keys, **one.figures._asdict()},
        "where": one.where._asdict(),
        "frozen": one.frozen,
        "assumed_former_record": one.assumed,
        "shown": _held_json(one.now),
        "shown_once_all_arrived": _held_json(one.then),
    }


def _held_json(held: Optional[Held]) -> Optional[Dict[str, Any]]:
    if held is None:
        return None
    return {"keys": held.keys._asdict(), "measured": held.figures.measured, **held.usage._asdict()}
