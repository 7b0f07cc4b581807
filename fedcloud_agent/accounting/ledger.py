"""The ledger's side of a collection: pages go in, one transaction each, and absence is noted with care."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import and_, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import departures
from fedcloud_agent.accounting.life import resized
from fedcloud_agent.accounting.tables import record, scope, vm
from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.clouds.contract import COMPLETED, Listing, Page, Problem, VirtualMachine
from fedcloud_agent.outbox.table import QUEUED, message
from fedcloud_agent.store.bulk import read_many, run_many

AT_ONCE = 0
_CHUNK = 500

# what of a machine makes a new record due when it changes; the rest is for people
_ACCOUNTED = (
    "status",
    "user",
    "group",
    "global_user",
    "vo",
    "start",
    "end",
    "cpu_count",
    "memory",
    "disk",
    "image",
    "running",
    "benchmark_type",
    "benchmark",
    "site",
)
_TOLD = (
    *_ACCOUNTED,
    *("name", "cloud_status", "changed", "public_ips", "cpu_seconds", "network_in", "network_out", "trace"),
)
# what a cloud tells only while it can: once told and then not, it stands
_KEPT = (
    *("public_ips", "global_user", "image", "start", "running", "cpu_seconds", "network_in", "network_out"),
    *("site", "trace"),
)
_STATE = ("id", "uuid", "sizes", "alive_at", "scope", "note", "unreadable", "missed")


class Mark(NamedTuple):
    """How far one scope of a cloud was listed."""

    as_of: Optional[int]
    full_as_of: Optional[int]
    full_number: int


class Taken(NamedTuple):
    """What one page brought to the ledger."""

    new: int
    changed: int
    unchanged: int
    unreadable: int
    problems: Tuple[Problem, ...] = ()


class Missing(NamedTuple):
    """A machine that full listings no longer show."""

    id: int
    uuid: str
    group: str
    alive_at: Optional[int]


def mark_of(connection: Connection, cloud: str, name: str) -> Mark:
    """Return how far a scope was listed; a scope never seen has no marks."""
    row = connection.execute(
        select(scope.c.as_of, scope.c.full_as_of, scope.c.full_number).where(
            scope.c.cloud == cloud, scope.c.name == name
        )
    ).first()
    return Mark(*row) if row else Mark(None, None, 0)


def take(connection: Connection, cloud: str, listing: Listing, number: int, page: Page) -> Taken:
    """Write one page into the ledger. ``number``: that of the full listing it belongs to, or of the last full one.

    Taking a page twice changes nothing: a run that was killed lists again.
    """
    fresh: List[Dict[str, Any]] = []
    altered: Dict[int, Dict[str, Any]] = {}
    seen: List[Dict[str, Any]] = []
    known = _known(connection, cloud, [m.uuid for m in page.machines])
    gone = departures.among(connection, cloud, [m.uuid for m in page.machines if m.uuid not in known])
    for machine in page.machines:
        old = known.get(machine.uuid)
        told = _told(machine)
        if machine.uuid in gone:
            continue
        if old is None:
            told.update(
                cloud=cloud,
                uuid=machine.uuid,
                scope=listing.scope,
                first_seen=listing.as_of,
                alive_at=None if machine.status == COMPLETED else listing.as_of,
                seen_full=number,
                missed=0,
                due=AT_ONCE if machine.start is not None else None,
            )
            fresh.append(told)
            known[machine.uuid] = told  # the same machine twice in one page
            continue
        if "id" not in old:
            continue
        change = _change(old, told, listing.as_of)
        if change or old["scope"] != listing.scope or old["unreadable"] is not None:
            # the same machine twice in one page: the later word counts
            altered.setdefault(old["id"], {}).update(_merged(old, change), scope=listing.scope, seen_full=number)
        if machine.status != COMPLETED:
            seen.append({"row": old["id"], "alive_at": max(listing.as_of, old["alive_at"] or 0), "seen_full": number})
    run_many(connection, _FRESH, fresh)
    _alter(connection, altered)
    run_many(connection, _SEEN, seen)
    for uuid, reason in page.unreadable:
        connection.execute(
            update(vm)
            .where(vm.c.cloud == cloud, vm.c.uuid == uuid)
            .values(unreadable=reason, seen_full=number, missed=0, missed_since=None)
        )
    unchanged = len(page.machines) - len(fresh) - len(altered)
    problems = departures.contradictions(page.machines, gone)
    return Taken(len(fresh), len(altered), unchanged, len(page.unreadable), problems)


_FRESH = insert(vm)
_SEEN = (
    update(vm)
    .where(vm.c.id == bindparam("row"))
    .values(
        alive_at=bindparam("alive_at"), seen_full=bindparam("seen_full"), missed=0, missed_since=None, unreadable=None
    )
)


def _alter(connection: Connection, altered: Dict[int, Dict[str, Any]]) -> None:
    """Write what changed, with one statement for all machines of which the same things did."""
    alike: Dict[Tuple[str, ...], List[Dict[str, Any]]] = {}
    for row, values in altered.items():
        alike.setdefault(tuple(sorted(values)), []).append({**values, "row": row})
    for names, rows in alike.items():
        run_many(connection, _altering(names), rows)


@lru_cache(maxsize=64)
def _altering(names: Tuple[str, ...]) -> Any:
    values = {name: bindparam(name) for name in names}
    return update(vm).where(vm.c.id == bindparam("row")).values(missed=0, missed_since=None, unreadable=None, **values)


_LEDGER = (*_STATE, *_TOLD)
_BY_UUID = select(*[vm.c[name] for name in _LEDGER]).where(
    vm.c.cloud == bindparam("of_cloud"), vm.c.uuid.in_(bindparam("uuids", expanding=True))
)


def _known(connection: Connection, cloud: str, uuids: Sequence[str]) -> Dict[str, Dict[str, Any]]:
    known: Dict[str, Dict[str, Any]] = {}
    for begin in range(0, len(uuids), _CHUNK):
        wanted = {"of_cloud": cloud, "uuids": list(uuids[begin : begin + _CHUNK])}
        for row in read_many(connection, _BY_UUID, wanted):
            machine = dict(zip(_LEDGER, row))
            known[machine["uuid"]] = machine
    return known


def _told(machine: VirtualMachine) -> Dict[str, Any]:
    told = machine._asdict()
    del told["uuid"]
    if machine.running is not None:
        told["running"] = json.dumps(machine.running, separators=(",", ":"))
    return told


def _change(old: Dict[str, Any], told: Dict[str, Any], as_of: int) -> Dict[str, Any]:
    """Return what is new about a machine. What the cloud no longer tells stays as it was last known."""
    for name in _KEPT:
        if told[name] is None:
            told[name] = old[name]
    change = {name: told[name] for name in _TOLD if told[name] != old[name]}
    if "cpu_count" in change and told["start"] is not None:
        # one that had not started yet may have done so and been resized since the last look
        begin = told["start"] if old["start"] is None else old["start"]
        sizes = json.loads(old["sizes"]) if old["sizes"] else [[begin, old["cpu_count"]]]
        # resized between the last look and this one: at its last change, if that is where it lies
        looked, changed = old["alive_at"] or 0, told["changed"] or as_of
        since = changed if looked <= changed <= as_of + HOUR else as_of
        if told["end"] is not None:
            since = min(since, told["end"])
        change["sizes"] = json.dumps(
            resized(tuple((int(b), int(c)) for b, c in sizes), told["cpu_count"], since), separators=(",", ":")
        )
    return change


def _merged(old: Dict[str, Any], change: Dict[str, Any]) -> Dict[str, Any]:
    if change.keys() & set(_ACCOUNTED) and (change.get("start") or old["start"]) is not None:
        return {**change, "due": AT_ONCE}
    return change


def finish(connection: Connection, cloud: str, listing: Listing, number: int, told: Optional[str] = None) -> None:
    """Note that a listing was read to its end: only now does its mark move, and does absence mean anything.

    ``told``: the plugin's own mark, if it left one.
    """
    mark = mark_of(connection, cloud, listing.scope)
    values: Dict[str, Any] = {"as_of": max(listing.as_of, mark.as_of or 0)}
    if told is not None:
        values["mark"] = told
    if listing.window.full:
        values.update(full_as_of=listing.as_of, full_number=number)
        _note_missing(connection, cloud, listing, number)
    where = and_(scope.c.cloud == cloud, scope.c.name == listing.scope)
    if connection.execute(update(scope).where(where).values(**values)).rowcount == 0:
        connection.execute(
            insert(scope).values({"cloud": cloud, "name": listing.scope, "full_number": number, **values})
        )


def _note_missing(connection: Connection, cloud: str, listing: Listing, number: int) -> None:
    rows = connection.execute(
        select(vm.c.id, vm.c.group, vm.c.start).where(
            vm.c.cloud == cloud,
            vm.c.status != COMPLETED,
            or_(vm.c.seen_full < number, vm.c.scope != listing.scope),
            or_(vm.c.alive_at.is_(None), vm.c.alive_at < listing.as_of),
        )
    ).all()
    gone = [row for row in rows if row.group in listing.groups]
    for row in gone:
        connection.execute(
            update(vm)
            .where(vm.c.id == row.id)
            .values(missed=vm.c.missed + 1, missed_since=func.coalesce(vm.c.missed_since, listing.as_of))
        )


def must_list_in_full(connection: Connection, cloud: str, name: str, as_of: int, every: int, outage: int) -> bool:
    """Tell whether a scope has to be listed in full: never listed, long ago, after an outage, or to settle a doubt.

    ``every``: seconds between full listings; ``outage``: after so many seconds without a listing a machine may have
    come to its end and been purged unseen.
    """
    mark = mark_of(connection, cloud, name)
    if mark.as_of is None or mark.full_as_of is None:
        return True
    if as_of - mark.full_as_of >= every or as_of - mark.as_of >= outage:
        return True
    doubt = connection.execute(
        select(vm.c.id)
        .where(
            vm.c.cloud == cloud,
            vm.c.scope == name,
            vm.c.status != COMPLETED,
            or_(vm.c.unreadable.is_not(None), and_(vm.c.missed > 0, vm.c.missed_since <= as_of - DAY)),
        )
        .limit(1)
    ).first()
    return doubt is not None


def missing(connection: Connection, cloud: str, as_of: int, groups: Sequence[str]) -> List[Missing]:
    """Return the machines that two full listings at least a day apart did not show."""
    rows = connection.execute(
        select(vm.c.id, vm.c.uuid, vm.c.group, vm.c.alive_at)
        .where(vm.c.cloud == cloud, vm.c.status != COMPLETED, vm.c.missed >= 2, vm.c.missed_since <= as_of - DAY)
        .order_by(vm.c.id)
    )
    wanted = set(groups)
    return [Missing(*row) for row in rows if row.group in wanted]


def newly_missing(connection: Connection, cloud: str, as_of: int, groups: Sequence[str]) -> Dict[str, int]:
    """Return how many machines, by group, have been missing for less than a day."""
    rows = connection.execute(
        select(vm.c.group, func.count())
        .where(vm.c.cloud == cloud, vm.c.status != COMPLETED, vm.c.missed >= 1, vm.c.missed_since > as_of - DAY)
        .group_by(vm.c.group)
    )
    return {group: count for group, count in rows if group in groups}


def living(connection: Connection, cloud: str) -> Dict[str, int]:
    """Return the number of live machines by group."""
    rows = connection.execute(
        select(vm.c.group, func.count()).where(vm.c.cloud == cloud, vm.c.status != COMPLETED).group_by(vm.c.group)
    )
    return dict(rows.all())


def end_missing(connection: Connection, machine: Missing, note: str) -> None:
    """Complete a machine that vanished, at the last instant at which it was known to be alive.

    One that never started has no end, and nothing to report.
    """
    started = vm.c.start.is_not(None)
    connection.execute(
        update(vm)
        .where(vm.c.id == machine.id)
        .values(
            status=COMPLETED,
            cloud_status="vanished",
            end=case((started, machine.alive_at), else_=None),
            due=case((started, AT_ONCE), else_=None),
            note=note,
        )
    )


def distrust(connection: Connection) -> None:
    """Draw the consequences of a ledger that was put back from a copy: list in full, make and send everything anew.

    Messages of the copy may have been acknowledged since, so their records wait again under new identities.
    """
    connection.execute(update(scope).values(full_as_of=None, mark=None))
    connection.execute(update(vm).where(vm.c.status != COMPLETED, vm.c.start.is_not(None)).values(due=AT_ONCE))
    connection.execute(
        update(record)
        .where(record.c.message.is_not(None))
        .values(message=None, flying=None, flying_figures=None, pending=1)
    )
    connection.execute(delete(message).where(message.c.state == QUEUED))
