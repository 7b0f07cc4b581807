"""Why a machine, or a month of it, is not in the records, in the words of a person."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from fedcloud_agent.accounting.making import Stream
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, FirstRun
from fedcloud_agent.clock import month_name, month_of, utc
from fedcloud_agent.clouds.contract import COMPLETED


def of_machine(row: Any) -> List[str]:
    """Return what holds at every destination. ``row``: of the table of machines."""
    found = []
    if row.start is None:
        ended = " and never will be, since it is gone" if row.status == COMPLETED else ""
        found.append(f"It was never started{ended}: there is nothing to account.")
    if not row.vo or row.vo.lower() in ("none", "null"):
        found.append(
            f"Project {row.group} has no VO, so the repository could not tell whose usage this is: no record leaves. "
            f"Name the project under clouds.{row.cloud}.vos."
        )
    known = f"It is reported up to {utc(row.alive_at)}, when it was last known to be alive." if row.alive_at else ""
    if row.status != COMPLETED and row.unreadable is not None:
        found.append(f"In doubt: the cloud could not describe it at the last look ({row.unreadable}). {known}".strip())
    if row.status != COMPLETED and row.missed:
        since = f" since {utc(row.missed_since)}" if row.missed_since else ""
        found.append(
            f"In doubt{since}: {row.missed} full listing{'s' if row.missed > 1 else ''} in a row did not show it. "
            f"{known} After two that are a day apart the cloud is asked; if it denies the machine, that moment is its "
            "end."
        )
    if row.note:
        found.append(f"{row.note[0].upper()}{row.note[1:]}.")
    if row.start is not None:
        found.append(_next(row))
    return found


def _next(row: Any) -> str:
    if row.due is None:
        return "It has ended, and its last record was made."
    if row.due == 0:
        return "A new record is due at the next extraction."
    return f"The next record is due at the first extraction after {utc(row.due)}."


def of_destination(
    row: Any, begun: Optional[Stream], first_run: Optional[FirstRun], recorded: Sequence[int]
) -> List[str]:
    """Return what holds at one destination.

    ``begun``: the choice that was made before its first record, None before that. ``first_run``: what is configured.
    ``recorded``: the months that have a record, in order.
    """
    if begun is None:
        if first_run is None:
            return ["No record is made: accounting.first_run is not set."]
        return ["No record was made yet: the first ones are made after a listing of the whole cloud without a failure."]
    if row.start is None:
        return []
    found = []
    old = row.first_seen <= begun.since
    date = begun.first_run.date
    if old and begun.first_run.policy == CONTINUE and recorded and month_of(row.start) < recorded[0]:
        found.append(
            f"Months before {month_name(recorded[0])} are a former tool's (first_run: continue); it is taken to have "
            f"reported everything until {month_name(recorded[0])} began."
        )
    if old and begun.first_run.policy == BASELINE and date is not None and row.start < date:
        if row.end is not None and row.end <= date:
            found.append(f"It ended before the baseline of {utc(date)}: a former tool reported it.")
            return found
        found.append(f"What it used before the baseline of {utc(date)} is a former tool's and left out here.")
    return found + _missing(row, begun, recorded)


def of_end(row: Any, month: int, status: str) -> List[str]:
    """Return why the last record does not tell of the end, if it does not. ``month``, ``status``: of that record."""
    if row.status != COMPLETED or status == COMPLETED or row.end is None or month_of(row.end) > month:
        return []
    return [
        f"Its end is told as {status!r}, dated to the end: {month_name(month)} was published so and is no longer "
        "tidied, and under another status it would count twice."
    ]


def _missing(row: Any, begun: Stream, recorded: Sequence[int]) -> List[str]:
    """Name the months in which it lived, as far as is known, and that have no record."""
    horizon = row.end if row.end is not None else row.alive_at
    if horizon is None:
        return ["It was never seen alive and has no end: no month can be told."] if not recorded else []
    first = month_of(row.start)
    if row.first_seen <= begun.since and begun.first_run.policy == BASELINE and begun.first_run.date is not None:
        first = max(first, month_of(begun.first_run.date))
    if row.first_seen <= begun.since and begun.first_run.policy == CONTINUE:
        first = recorded[0] if recorded else month_of(horizon)
    lacking = [month for month in range(first, month_of(horizon) + 1) if month not in recorded]
    if not lacking:
        return []
    names = ", ".join(map(month_name, lacking[:6])) + (f" and {len(lacking) - 6} more" if len(lacking) > 6 else "")
    when = "it will be made at the next extraction" if row.due is not None else "none is due"
    return [f"No record of {names} yet: {when}."]
