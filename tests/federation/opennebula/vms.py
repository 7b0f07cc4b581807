"""The methods that read machines."""

from __future__ import annotations

import itertools
from typing import Iterable, Iterator, List, Optional, Tuple

from tests.federation.opennebula import dump, monitoring
from tests.federation.opennebula.machine import ACTIVE, DONE, Machine, Record
from tests.federation.opennebula.methods import Asked, Value, method
from tests.federation.opennebula.reading import check_filter, descending, document, forbidden, missing, wanted
from tests.federation.opennebula.template import render
from tests.federation.opennebula.wire import BAD_ARGUMENT, INTERNAL, RefusedError, TooLargeError, Xml, escaped


@method("vm.info", "i[b")
def _vm(asked: Asked) -> Value:
    site, key = asked.site, asked.arguments[0]
    machine = site.machines.get(key)
    if machine is None:
        raise missing(asked, "virtual machine", key)
    if not _sees(asked, machine):
        raise forbidden(asked, "USE", "VM", key)
    site.served = 1
    sample = monitoring.latest(site.profile, machine, site.machines.clock.now())
    return Xml(escaped(dump.full(site.profile, machine, machine.records, sample, site.people)))


@method("vmpool.info", "iiii[s")
def _vms(asked: Asked) -> Value:
    if len(asked.arguments) > 4 and asked.arguments[4] and asked.site.profile.since(5, 8):
        raise RefusedError(INTERNAL, "JSON query search is not supported by the SQL backend")
    return _listed(asked, asked.site.profile.short)


@method("vmpool.infoextended", "iiii[s", "5.8.1")
def _vms_extended(asked: Asked) -> Value:
    return _listed(asked, False)


@method("vmpool.infoset", "sb", "5.12")
def _vms_of_a_set(asked: Asked) -> Value:
    keys = {int(part) for part in asked.arguments[0].split(",") if part.strip().isdigit()}
    found = [asked.site.machines.get(key) for key in sorted(keys, reverse=descending(asked))]
    rows = (machine for machine in found if machine is not None and _sees(asked, machine))
    return _written(asked, rows, not asked.arguments[1])


def _listed(asked: Asked, short: bool) -> Value:
    flag, start, end, state = asked.arguments[:4]
    check_filter(asked, flag)
    if state < -2 or state > asked.site.profile.states:
        raise RefusedError(BAD_ARGUMENT, "Incorrect filter_flag, state")
    return _written(asked, _chosen(asked, flag, start, end, state), short)


def _chosen(asked: Asked, flag: int, start: int, end: int, state: int) -> Iterator[Machine]:
    """Yield the machines of a window in the user's order."""
    limit: Optional[Tuple[int, int]] = None
    low: Optional[int] = None
    high: Optional[int] = None
    if end < -1:
        if not asked.site.profile.offset:
            return
        limit = (max(start, 0), max(start, 0) - end)
    elif start != -1:
        low, high = start, None if end == -1 else end
    rows = _passing(asked, flag, state, _keys(asked, low, high, state))
    yield from rows if limit is None else itertools.islice(rows, *limit)


def _keys(asked: Asked, low: Optional[int], high: Optional[int], state: int) -> Iterable[int]:
    machines = asked.site.machines
    keys = machines.ids(low, high) if state in (-2, DONE) else machines.ids(low, high, live_only=True)
    return reversed(list(keys)) if descending(asked) else keys


def _passing(asked: Asked, flag: int, state: int, keys: Iterable[int]) -> Iterator[Machine]:
    for key in keys:
        machine = asked.site.machines.glance(key)
        if state == -1 and machine.state == DONE or state >= 0 and machine.state != state:
            continue
        if wanted(asked.user, flag, machine.uid, machine.gid) and _sees(asked, machine):
            yield machine


def _sees(asked: Asked, machine: Machine) -> bool:
    if asked.user.is_admin:
        return True
    return asked.site.people.may_use(asked.user, "VM", machine.id, machine.uid, machine.gid, machine.permissions)


def _written(asked: Asked, rows: Iterable[Machine], short: bool) -> Xml:
    parts: List[bytes] = [b"&lt;VM_POOL&gt;"]
    size = 0
    for machine in rows:
        parts.append(rendered(asked, machine, short))
        size += len(parts[-1])
        if size > asked.site.largest:
            raise TooLargeError
    asked.site.served = len(parts) - 1
    parts.append(b"&lt;/VM_POOL&gt;")
    return Xml(b"".join(parts))


def rendered(asked: Asked, machine: Machine, short: bool) -> bytes:
    """Return a machine as it stands in a pool; kept until something about it changes."""
    profile, people = asked.site.profile, asked.site.people
    lasting = short or profile.since(5, 12)
    if machine.is_card:
        if lasting:
            return asked.site.stencils().write(machine.id, short)
        machine = _made(asked, machine.id)
    kept = machine.rendered.get((short, people.revision)) if lasting else None
    if kept is None:
        if short:
            text = dump.short(profile, machine, people)
        else:
            # From 5.12 on the body keeps what the monitor saw when it was written last: of a new machine nothing.
            seen = not lasting or machine.monitoring is not None
            sample = monitoring.latest(profile, machine, asked.site.machines.clock.now()) if seen else None
            text = dump.full(profile, machine, machine.records[-1:], sample, people)
        kept = escaped(text)
        if lasting:
            machine.rendered[(short, people.revision)] = kept
    return kept


def _made(asked: Asked, key: int) -> Machine:
    machine = asked.site.machines.get(key)
    assert machine is not None
    return machine


@method("vmpool.accounting", "iii", "3.6")
def _accounting(asked: Asked) -> Value:
    flag, start, end = asked.arguments
    check_filter(asked, flag)
    rows = []
    for key in asked.site.machines.ids(None, None):
        machine = _made(asked, key)
        if wanted(asked.user, flag, machine.uid, machine.gid) and _sees(asked, machine):
            rows += [
                dump.history(asked.site.profile, machine, record, _as_it_was(asked, machine, record))
                for record in machine.records
                if (not record.etime or start == -1 or record.etime > start) and (end == -1 or record.stime < end)
            ]
    asked.site.served = len(rows)
    return document("HISTORY_RECORDS", rows)


def _as_it_was(asked: Asked, machine: Machine, record: Record) -> str:
    """Return the machine inside of a record: as it was when the record was touched last, so never ended."""
    site, sample = asked.site, None
    state, lcm, previous, etime = machine.state, machine.lcm, machine.previous, machine.etime
    if record is not machine.last or state == DONE:
        machine.state, machine.lcm, machine.previous, machine.etime = ACTIVE, 1, (ACTIVE, 1), 0
    else:
        sample = monitoring.latest(site.profile, machine, site.machines.clock.now())
    try:
        return dump.full(site.profile, machine, (), sample, site.people)
    finally:
        machine.state, machine.lcm, machine.previous, machine.etime = state, lcm, previous, etime


@method("vmpool.monitoring", "i[i", "3.6")
def _samples(asked: Asked) -> Value:
    site = asked.site
    check_filter(asked, asked.arguments[0])
    seconds = asked.arguments[1] if len(asked.arguments) > 1 and site.profile.since(5, 12) else -1
    now = site.machines.clock.now()
    rows = []
    for key in site.machines.ids(None, None):
        machine = _made(asked, key)
        if not wanted(asked.user, asked.arguments[0], machine.uid, machine.gid) or not _sees(asked, machine):
            continue
        if seconds == 0:
            newest = monitoring.latest(site.profile, machine, now)
            samples = [] if newest is None else [newest]
        else:
            samples = list(monitoring.since(site.profile, machine, 0 if seconds < 0 else now - seconds, now))
        rows += [_sample(asked, key, sample) for sample in samples]
    asked.site.served = len(rows)
    return document("MONITORING_DATA", rows)


def _sample(asked: Asked, key: int, sample: monitoring.Sample) -> str:
    profile = asked.site.profile
    if profile.since(5, 12):
        return f"<MONITORING>{render(dump.sampled(sample, key))}</MONITORING>"
    shown = [row for row in dump.sampled(sample, key) if row[0] not in ("ID", "TIMESTAMP")]
    return f"<VM><ID>{key}</ID><LAST_POLL>{sample.instant}</LAST_POLL><MONITORING>{render(shown)}</MONITORING></VM>"
