"""Collect: what the cloud says of its machines goes into the ledger, scope by scope, page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional

from fedcloud_agent.accounting import ledger
from fedcloud_agent.accounting.books import Books
from fedcloud_agent.accounting.settings import BASELINE, CONTINUE, CONTINUED, FirstRun
from fedcloud_agent.clock import HOUR, month_of, month_start, utc
from fedcloud_agent.clouds.contract import COMPLETED, Listing, Page, Past, Problem, UsageFacet, Window
from fedcloud_agent.errors import AgentError, RemoteDataError, TryAgainError
from fedcloud_agent.store.engine import Store

OVERLAP = 600
"""Listings overlap by so much: a change may become visible a little after the instant that it carries."""

OUTAGE = 6 * HOUR
"""After so long without a listing a machine may have ended and been purged unseen."""

VANISHED_AT_ONCE = 5
VANISHED_SHARE = 0.05

_REASONS_TOLD = 5
"""Of machines that cannot be read so many different reasons are told in one run; 'accounting explain' has them all."""


@dataclass
class Collected:
    """What one collection brought."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    vanished: List[str] = field(default_factory=list)
    held: Dict[str, int] = field(default_factory=dict)
    """How many machines a listing left out, by project, where they are too many to be believed; also in failures."""
    problems: List[Problem] = field(default_factory=list)
    failures: List[AgentError] = field(default_factory=list)
    scopes: Dict[str, int] = field(default_factory=dict)
    """The cloud's time of each scope that was listed to its end."""
    full: bool = False
    """A scope was listed in full: what is done once a day is due."""


@dataclass(frozen=True)
class Terms:
    """The settings of a collection, and the person's word where there was one."""

    full_listing: int
    clock_tolerance: int
    first_run: Optional[FirstRun]
    accept_vanished: bool = False


def collect(
    store: Store,
    cloud: str,
    source: UsageFacet,
    terms: Terms,
    now: Callable[[], int],
    progress: Callable[[int, Optional[int]], None] = lambda machines, expected: None,
) -> Collected:
    """List what changed, or everything where that is due, and write it into the ledger.

    A scope that fails keeps its mark and leaves the others alone; its error is in ``failures``. Raises what logging in
    raises, TryAgainError when the cloud's clock and ours are apart, and errors of the store.
    """
    found = Collected()

    def window(scope: str) -> Window:
        with store.read() as connection:
            mark = ledger.mark_of(connection, cloud, scope)
            at = now()
            full = ledger.must_list_in_full(connection, cloud, scope, at, terms.full_listing, OUTAGE)
        if mark.as_of is not None:
            return Window(full, mark.as_of - OVERLAP)
        return Window(True, horizon(terms.first_run, at))

    past = Books(store, cloud)
    for listing in source.usage(window, past):
        check_clock(listing.clock_offset, now(), terms.clock_tolerance)
        try:
            _read(store, cloud, listing, found, progress)
        except AgentError as error:
            if error.exit_code in (74, 75):
                raise
            found.failures.append(error)
            continue
        found.scopes[listing.scope] = listing.as_of
        if listing.window.full:
            found.full = True
            _settle_vanished(store, cloud, source, past, listing, terms, found)
    return found


def check_clock(offset: int, ours: int, tolerance: int) -> None:
    """Raise TryAgainError when two clocks are apart: a month that was published too early cannot be taken back."""
    if abs(offset) > tolerance:
        raise TryAgainError(
            f"our clock says {utc(ours)}, the cloud's {utc(ours + offset)}: they are {abs(offset)} s apart, so no "
            "record is made",
            hint=f"set this machine's clock (chronyc tracking); up to {tolerance} s are tolerated",
        )


def _too_many(cloud: str, group: str, vanished: int, known: int) -> RemoteDataError:
    return RemoteDataError(
        f"cloud {cloud}: {vanished} of {known} machines of project {group} vanished at once, so none of them is "
        "completed, and none reported beyond what is known",
        hint="look at the cloud; if they are truly gone, run 'fedcloud-agent accounting extract --accept-vanished'",
    )


def horizon(first_run: Optional[FirstRun], now: int) -> Optional[int]:
    """Return since when machines that ended are of interest to a first listing; None: always."""
    if first_run is not None and first_run.policy == BASELINE:
        return first_run.date
    if first_run is not None and first_run.policy == CONTINUE:
        return month_start(month_of(now - CONTINUED))
    return None


def _read(
    store: Store,
    cloud: str,
    listing: Listing,
    found: Collected,
    progress: Callable[[int, Optional[int]], None],
) -> None:
    with store.read() as connection:
        number = ledger.mark_of(connection, cloud, listing.scope).full_number
    if listing.window.full:
        number += 1
    machines = 0
    told: Optional[str] = None
    unreadable: Dict[str, List[str]] = {}
    for page in listing.pages:
        with store.write() as connection:
            taken = ledger.take(connection, cloud, listing, number, page)
        found.new += taken.new
        found.changed += taken.changed
        found.unchanged += taken.unchanged
        found.unreadable += taken.unreadable
        found.problems.extend([*page.problems, *taken.problems])
        for uuid, reason in page.unreadable:
            if reason in unreadable or len(unreadable) < _REASONS_TOLD:
                unreadable.setdefault(reason, []).append(uuid)
        told = page.mark if page.mark is not None else told
        machines += len(page.machines)
        progress(machines, listing.expected)
    with store.write() as connection:
        ledger.finish(connection, cloud, listing, number, told)
    found.problems.extend(_not_readable(uuids, reason) for reason, uuids in unreadable.items())


def _not_readable(uuids: List[str], reason: str) -> Problem:
    others = f" and {len(uuids) - 1} more" if len(uuids) > 1 else ""
    return Problem(f"machine {uuids[0]}{others}", f"{reason}; what is known of it stands until it can be read")


def _settle_vanished(
    store: Store, cloud: str, source: UsageFacet, past: Past, listing: Listing, terms: Terms, found: Collected
) -> None:
    """Complete machines that are truly gone. Only what the cloud itself denies is, and never many at once."""
    with store.read() as connection:
        gone = ledger.missing(connection, cloud, listing.as_of, sorted(listing.groups))
        fresh = ledger.newly_missing(connection, cloud, listing.as_of, sorted(listing.groups))
        living = ledger.living(connection, cloud) if gone or fresh else {}
    for group in sorted({machine.group for machine in gone} | fresh.keys()):
        of_group = [machine for machine in gone if machine.group == group]
        allowed = max(VANISHED_AT_ONCE, int(VANISHED_SHARE * living.get(group, 0)))
        if max(len(of_group), fresh.get(group, 0)) > allowed and not terms.accept_vanished:
            found.held[group] = len(of_group) + fresh.get(group, 0)
            found.failures.append(_too_many(cloud, group, found.held[group], living.get(group, 0)))
        if len(of_group) > allowed and not terms.accept_vanished:
            continue
        for machine in of_group:
            try:
                told = source.machine(machine.uuid, past)
            except AgentError as error:
                found.failures.append(error)
                continue
            with store.write() as connection:
                if told is not None:
                    number = ledger.mark_of(connection, cloud, listing.scope).full_number
                    ledger.take(connection, cloud, listing, number, Page([told]))
                    if told.status != COMPLETED:
                        continue
                else:
                    note = f"vanished: last known to be alive at {utc(machine.alive_at or 0)}"
                    ledger.end_missing(connection, machine, note)
            found.vanished.append(machine.uuid)
