"""Audit: a fresh full listing of the cloud held against the ledger, machine by machine. Nothing is written.

The listing is read page by page, each page compared with the ledger's rows of its machines in a short transaction. For
the other direction one bit for each machine of the ledger says whether the cloud showed it.
"""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import comparison, departures, ledger
from fedcloud_agent.accounting.collection import OVERLAP, horizon
from fedcloud_agent.accounting.comparison import Known, Recorded
from fedcloud_agent.accounting.findings import Finding, Findings
from fedcloud_agent.accounting.making import Stream, origin_of, streams
from fedcloud_agent.accounting.packing import TIDIED, frozen_before
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import month_name
from fedcloud_agent.clouds.contract import COMPLETED, Listing, NoPast, Page, UsageFacet, VirtualMachine, Window
from fedcloud_agent.errors import AgentError
from fedcloud_agent.store.engine import Store

_CHUNK = 500


class Seen:
    """Which machines of the ledger the cloud showed: one bit for each, by its number."""

    def __init__(self, highest: int) -> None:
        self._bits = bytearray(highest // 8 + 1)

    def note(self, number: int) -> None:
        """Note a machine; one that came after the audit began has no bit, and needs none."""
        if number // 8 < len(self._bits):
            self._bits[number // 8] |= 1 << number % 8

    def __contains__(self, number: int) -> bool:
        return number // 8 >= len(self._bits) or bool(self._bits[number // 8] & 1 << number % 8)


class Terms(NamedTuple):
    """What an audit goes by. ``destinations``: whose records are looked at."""

    destinations: Sequence[str]
    clock_tolerance: int


class _Scope(NamedTuple):
    """What comparing a page needs besides it."""

    cloud: str
    as_of: int
    """The last instant up to which the ledger was told of this scope."""
    begun: Dict[str, Stream]
    since: Optional[int]
    """Machines that ended before need not be in the ledger."""
    open_since: int


def audit(
    store: Store,
    cloud: str,
    source: UsageFacet,
    terms: Terms,
    now: Callable[[], int],
    found: Findings,
    progress: Callable[[int, Optional[int]], None] = lambda machines, expected: None,
) -> None:
    """Compare one cloud with the ledger; what is found is added to ``found``.

    Raises what logging in raises, and errors of the store. A scope that cannot be read is a finding.
    """
    with store.read() as connection:
        begun = {name: one for name, one in streams(connection, cloud).items() if name in terms.destinations}
        seen = Seen(connection.execute(select(func.max(vm.c.id)).where(vm.c.cloud == cloud)).scalar() or 0)
    since = _since(begun)
    listed: List[Listing] = []
    whole = True
    for listing in source.usage(lambda scope: Window(True, since), NoPast()):
        if abs(listing.clock_offset) > terms.clock_tolerance:
            text = f"the cloud's clock is {listing.clock_offset:+d} s from ours"
            found.add(Finding("clock", cloud, None, None, text, listing.clock_offset))
        with store.read() as connection:
            as_of = ledger.mark_of(connection, cloud, listing.scope).as_of
        if as_of is None:
            found.add(Finding("unlisted", cloud, None, None, f"scope {listing.scope}"))
        scope = _Scope(cloud, as_of or 0, begun, since, frozen_before(now(), TIDIED))
        machines = 0
        try:
            for page in listing.pages:
                with store.read() as connection:
                    _compare(connection, scope, page, seen, found)
                machines += len(page.machines)
                progress(machines, listing.expected)
        except AgentError as error:
            if error.exit_code == 74:
                raise
            found.add(Finding("unread", cloud, None, None, f"scope {listing.scope}: {error.message}"))
            whole = False
            continue
        listed.append(listing)
    if listed:
        _reverse(store, cloud, seen, listed, whole, found)


def _since(begun: Dict[str, Stream]) -> Optional[int]:
    """Return since when machines that ended concern any stream; None: all that the cloud remembers do."""
    horizons = [horizon(one.first_run, one.since) for one in begun.values()]
    known = [one for one in horizons if one is not None]
    return min(known) if known and len(known) == len(horizons) else None


_KNOWN = [vm.c[name] for name in Known._fields]
_RECORDED = [record.c[name] for name in Recorded._fields]


def _compare(connection: Connection, scope: _Scope, page: Page, seen: Seen, found: Findings) -> None:
    """Compare one page of the listing with the ledger."""
    shown = {machine.uuid: machine for machine in page.machines}
    uuids = [*shown, *(one.uuid for one in page.unreadable)]
    for begin in range(0, len(uuids), _CHUNK):
        some = uuids[begin : begin + _CHUNK]
        rows = connection.execute(select(*_KNOWN).where(vm.c.cloud == scope.cloud, vm.c.uuid.in_(some)))
        known = {row.uuid: Known._make(row) for row in rows}
        for one in known.values():
            seen.note(one.id)
        strange = [uuid for uuid in some if uuid in shown and uuid not in known]
        gone = departures.among(connection, scope.cloud, strange)
        for uuid in strange:
            if uuid not in gone and _should_be_known(shown[uuid], scope):
                text = f"{shown[uuid].name}: {shown[uuid].cloud_status}"
                found.add(Finding("missing", scope.cloud, None, uuid, text))
        found.machines += sum(uuid in shown for uuid in some)
        for name, stream in scope.begun.items():
            records = _records(connection, name, [one.id for one in known.values()])
            for uuid, one in known.items():
                if uuid in shown:
                    _one(scope, stream, shown[uuid], one, records.get(one.id, []), found)


def _should_be_known(told: VirtualMachine, scope: _Scope) -> bool:
    if told.start is None or comparison.is_new_since(told, scope.as_of - OVERLAP):
        return False
    return told.end is None or scope.since is None or told.end >= scope.since


def _records(connection: Connection, destination: str, machines: Sequence[int]) -> Dict[int, List[Recorded]]:
    found: Dict[int, List[Recorded]] = {}
    rows = connection.execute(
        select(record.c.vm, *_RECORDED)
        .where(record.c.destination == destination, record.c.vm.in_(machines))
        .order_by(record.c.vm, record.c.month)
    )
    for row in rows:
        found.setdefault(row.vm, []).append(Recorded._make(tuple(row)[1:]))
    return found


def _one(
    scope: _Scope,
    stream: Stream,
    told: VirtualMachine,
    known: Known,
    records: Sequence[Recorded],
    found: Findings,
) -> None:
    """Compare one machine with its records at one destination."""
    found.records += len(records)
    origin = origin_of(known.start, stream) if known.start is not None else None
    if origin is None:
        return
    for month in sorted(comparison.missing_months(known, [one.month for one in records], origin, scope.as_of)):
        found.add(Finding("gap", scope.cloud, stream.destination, known.uuid, month_name(month)))
    life = comparison.life_told(told)
    if not records or life is None or comparison.is_new_since(told, scope.as_of - OVERLAP):
        return
    for drift in comparison.drifts(told, life, records, origin, scope.open_since):
        text = f"{drift.what}: published {drift.published}, the cloud says {drift.told}"
        found.add(Finding("drift", scope.cloud, stream.destination, known.uuid, text, drift.seconds))


def _reverse(store: Store, cloud: str, seen: Seen, listed: Sequence[Listing], whole: bool, found: Findings) -> None:
    """Look for machines that the ledger has as alive and no listing showed. ``whole``: every scope was read."""
    groups: FrozenSet[str] = frozenset().union(*(listing.groups for listing in listed))
    before = min(listing.as_of for listing in listed)
    after = 0
    while True:
        with store.read() as connection:
            rows = _living(connection, cloud, after)
        for number, uuid, group, alive_at, first_seen in rows:
            if number in seen or max(alive_at or 0, first_seen) >= before:
                continue
            if group in groups:
                found.add(Finding("vanished", cloud, None, uuid, f"project {group}"))
            elif whole:
                text = f"project {group}, which the cloud does not list any more"
                found.add(Finding("vanished", cloud, None, uuid, text))
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def _living(connection: Connection, cloud: str, after: int) -> List[Tuple[int, str, str, Optional[int], int]]:
    rows = connection.execute(
        select(vm.c.id, vm.c.uuid, vm.c.group, vm.c.alive_at, vm.c.first_seen)
        .where(vm.c.cloud == cloud, vm.c.status != COMPLETED, vm.c.unreadable.is_(None), vm.c.id > after)
        .order_by(vm.c.id)
        .limit(_CHUNK)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
