"""When a machine ran: the union of its history records, and of what was known before oned's story changed. Pure.

A record's guest ran from RSTIME to RETIME, but for what oned leaves out. What an earlier look saw stands where a later
answer contradicts it: releases 5.12.0 to 5.12.8 and 6.0.0 close the record of a stopped guest only when it is resumed,
and from 5.12 on the end of its run is moved when the stopped guest is migrated. The records before the one that was
open at the previous look are never looked at again, so a history that was purged or numbered anew takes nothing away.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

from fedcloud_agent.clock import DAY
from fedcloud_agent.clouds.contract import Problem
from fedcloud_plugins.opennebula.row import History, Row
from fedcloud_plugins.opennebula.states import may_run
from fedcloud_plugins.opennebula.trace import Last, Spell, Trace

Interval = Tuple[int, Optional[int]]
Intervals = Tuple[Interval, ...]

UNTOLD_STOP = Problem(
    "stopped machines",
    "oned does not tell when they stopped, and no look saw them stopped before: their running time is an upper bound",
)
CUT_HISTORY = Problem(
    "machines with a purged history",
    "records since the last look are gone; what was running then counts as running up to the first record that is left",
)
BACKWARDS = Problem(
    "history records", "they end before they begin, as after a step of oned's clock; they count as nothing"
)
FROM_THE_FUTURE = Problem("history records", "they lie in the future; they are cut off at the present")
UNTIMED = Problem(
    "machines whose history cannot be read", "they are continued from their state alone until it can be read again"
)

# actions that close a record and open a copy of it: where its guest is off, that of the copy is off too
_COPIES = frozenset({21, 22, 23, 24, 25, 26, 29, 33, 35, 40, 41, 45, 46, 47, 50, 51, 53, 54, 55, 56})
# stop, suspend, poweroff, and what the monitor saw a guest do by itself
_STOPS = frozenset({9, 10, 19, 20, 44})


class Lived(NamedTuple):
    """When a machine ran, as far as it is known by now; ``trace`` is what the next look needs, without counters."""

    running: Intervals
    trace: Trace
    problems: Tuple[Problem, ...] = ()


class _Run(NamedTuple):
    """The run of one record, by its place in the history. ``bound``: it may have ended earlier."""

    place: int
    hid: int
    begin: int
    stop: Optional[int]
    bound: bool


def lived(row: Row, known: Intervals, trace: Optional[Trace], end: Optional[int], as_of: int) -> Lived:
    """Return when a machine ran, from records with times that hold all that was asked for by needs_history.

    ``known`` and ``trace``: what the previous look left. ``end``: that of the machine, if it came to it. ``as_of``: the
    cloud's present. The last interval is open only if the machine's state says that it runs.
    """
    kept, first, problems = _standing(row, known, trace, as_of)
    runs = [run for run in _runs(row, known, trace, end, as_of) if run.place >= first]
    found: List[Interval] = []
    for run in runs:
        stop = run.stop
        if max(run.begin, stop or 0) > as_of + DAY:
            problems.append(FROM_THE_FUTURE)
            stop = as_of
        elif stop is not None and stop < run.begin:
            problems.append(BACKWARDS)
        elif run.bound:
            problems.append(UNTOLD_STOP)
        found.append((run.begin, stop))
    if first == len(row.history) and _runs_again(row, trace, end):
        found.append((as_of, None))
    running = _union([*kept, *found], row.stime, end)
    return Lived(running, _remembered(row, runs, kept, trace), tuple(dict.fromkeys(problems)))


def continued(row: Row, known: Intervals, trace: Optional[Trace], end: Optional[int], as_of: int) -> Lived:
    """Return when a machine ran where oned gives no times: what is known goes on as its state says.

    What follows is told again, and better, by the next answer with times: the trace still points to the record that was
    open when there last was one.
    """
    before = trace or Trace()
    running = known
    last = row.history[-1] if row.history else None
    same = last is None or before.last is None or (last.seq, last.hid) == (before.last.seq, before.last.hid)
    off = before.off
    if known and known[-1][1] is None and (end is not None or not may_run(row)):
        running = tuple(_cut(known, as_of if end is None else end))
        off = off or same
    elif may_run(row) and not same and not (known and known[-1][1] is None):
        running = (*known, (as_of, None))
    return Lived(_union(running, row.stime, end), before._replace(off=off))


def _standing(
    row: Row, known: Intervals, trace: Optional[Trace], as_of: int
) -> Tuple[Sequence[Interval], int, List[Problem]]:
    """Return what is known and stands, and the place of the first record that adds to it."""
    closed = [interval for interval in known if interval[1] is not None]
    if trace is None or trace.open is None:
        return closed, 0, []
    places = [place for place, record in enumerate(row.history) if record.key == trace.open]
    if not places:
        cut = row.history[0].stime if row.history else as_of
        return closed if trace.off else _cut(known, cut), 0, [CUT_HISTORY]
    place = places[-1]
    if trace.off:
        return closed, _after_stop(row, place), []
    record = row.history[place]
    return _cut(known, record.rstime or record.closed or as_of), place, []


def _after_stop(row: Row, place: int) -> int:
    """Return the place of the first record after that of a stopped guest in which the guest may have run.

    Those between are of the same stop: copies that were made of the record, and moves to another host.
    """
    last = len(row.history) - 1
    while place < last:
        following = row.history[place + 1]
        if following.rstime and row.history[place].action not in _COPIES:
            break
        if place + 1 == last and may_run(row) and following.rstime and not following.closed:
            break  # its state has the last word
        place += 1
    return place + 1


def _runs(row: Row, known: Intervals, trace: Optional[Trace], end: Optional[int], as_of: int) -> List[_Run]:
    found: List[_Run] = []
    following: Optional[History] = None
    seen_running = bool(known) and known[-1][1] is None
    for place in range(len(row.history) - 1, -1, -1):
        record = row.history[place]
        if not record.rstime:
            continue
        stop: Optional[int] = record.closed
        # closed without RETIME, or by what was done to a stopped guest: when it was stopped is not told
        bound = not record.retime or (
            place + 1 < len(row.history)
            and record.action in _STOPS
            and record.retime == record.etime
            and record.retime >= row.history[place + 1].stime
        )
        if not stop:
            bound = False
            if following is not None:
                stop = following.stime or following.rstime
            elif end is not None or may_run(row):
                stop = end
            else:
                unseen = not seen_running if trace is None else record.key != trace.open
                told = unseen and record.rstime <= row.polled <= as_of
                stop = row.polled if told else max(record.rstime, as_of)
                bound = unseen and not told
        found.append(_Run(place, record.hid, record.rstime, stop, bound))
        following = record
    found.reverse()
    return found


def _runs_again(row: Row, trace: Optional[Trace], end: Optional[int]) -> bool:
    """Tell whether a guest that was seen stopped runs now, and no record of its own says since when."""
    if trace is None or not trace.off or end is not None or not row.history:
        return False
    return may_run(row) and bool(row.history[-1].rstime) and not row.history[-1].closed


def _remembered(row: Row, runs: Sequence[_Run], kept: Sequence[Interval], trace: Optional[Trace]) -> Trace:
    if not row.history:
        return trace or Trace()
    before = trace or Trace()
    last = row.history[-1]
    key, spell = last.key, before.spell
    reached = kept[-1][1] if kept and not before.off else None
    for run in runs:
        record = row.history[run.place]
        if run.stop == run.begin:
            continue
        goes_on = (record.key == before.open and not before.off) or (reached is not None and run.begin <= reached)
        if spell is None or spell.hid != run.hid or not goes_on:
            spell = Spell(run.hid, run.begin)
        reached = run.stop
        if run.stop is None:
            key = record.key
    return Trace(Last(last.seq, last.stime, last.hid), key, not may_run(row), spell, before.network)


def _cut(intervals: Intervals, until: int) -> List[Interval]:
    return [(begin, until if stop is None or stop > until else stop) for begin, stop in intervals if begin < until]


def _union(intervals: Sequence[Interval], since: int, end: Optional[int]) -> Intervals:
    """Return intervals in order and disjoint, within the machine's life."""
    found: List[Interval] = []
    for begin, stop in sorted(intervals, key=lambda interval: interval[0]):
        begin = max(begin, since)
        if end is not None and (stop is None or stop > end):
            stop = end
        if stop is not None and stop <= begin:
            continue
        if found and (found[-1][1] is None or begin <= found[-1][1]):
            reached = found[-1][1]
            if reached is not None:
                found[-1] = (found[-1][0], None if stop is None else max(reached, stop))
        else:
            found.append((begin, stop))
    return tuple(found)
