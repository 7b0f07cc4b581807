"""Machines of a fleet as they stand in a pool, without making them: one of each kind is written, the others traced."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Tuple

from tests.federation.opennebula import dump
from tests.federation.opennebula.fleet import Fleet
from tests.federation.opennebula.machine import Record
from tests.federation.opennebula.people import People
from tests.federation.opennebula.wire import escaped

_BASE = 7000000000
_NUMBERS = ("id", "created", "end", "begin", "uid", "gid", "hid", "cid")
_MARK = re.compile(r"70000000\d\d|@[a-z]+@")


class _Marks:
    """Stands in for the names of people."""

    def user_name(self, uid: int) -> str:
        return "@uname@"

    def group_name(self, gid: int) -> str:
        return "@gname@"


class Stencils:
    """Writes the machines of a fleet, short or in full with their last record."""

    def __init__(self, fleet: Fleet, people: People) -> None:
        self.fleet = fleet
        self.people = people
        self._kept: Dict[Tuple[int, bool, bool], bytes] = {}
        self._names: Tuple[int, Dict[Tuple[int, int], Mapping[bytes, bytes]]] = (-1, {})

    def write(self, key: int, short: bool) -> bytes:
        """Return a machine, escaped."""
        fleet = self.fleet
        place = key - fleet.first_id
        live = fleet.is_live(key)
        kind = (place % fleet.variants, live, short)
        stencil = self._kept.get(kind)
        if stencil is None:
            stencil = self._kept[kind] = self._draw(key, live, short)
        begin = fleet.last_begin(place)
        host = fleet.host_of(place, fleet.records - 1)
        address = fleet.address(key)
        values = {
            b"id": b"%d" % key,
            b"created": b"%d" % (fleet.start + place * fleet.spacing),
            b"begin": b"%d" % begin,
            b"end": b"%d" % (begin + fleet.length(place)),
            b"hid": b"%d" % host.id,
            b"cid": b"%d" % host.cluster_id,
            b"hostname": host.name.encode(),
            b"ip": address["IP"].encode(),
            b"mac": address["MAC"].encode(),
            **self._owner(place),
        }
        return stencil % values

    def _owner(self, place: int) -> Mapping[bytes, bytes]:
        if self._names[0] != self.people.revision:
            self._names = (self.people.revision, {})
        owner = self.fleet.owners[place % len(self.fleet.owners)]
        known = self._names[1].get(owner)
        if known is None:
            uid, gid = owner
            known = {
                b"uid": b"%d" % uid,
                b"gid": b"%d" % gid,
                b"uname": escaped(self.people.user_name(uid)),
                b"gname": escaped(self.people.group_name(gid)),
            }
            self._names[1][owner] = known
        return known

    def _draw(self, key: int, live: bool, short: bool) -> bytes:
        """Write one machine of a kind with marks in the places that differ."""
        marks = {name: _BASE + number for number, name in enumerate(_NUMBERS)}
        real = self.fleet.machine(key)
        last = real.last
        record = Record(**{**vars(last), "stime": marks["begin"], "rstime": marks["begin"]})
        for name in ("pstime", "petime"):
            setattr(record, name, marks["begin"] if getattr(last, name) else 0)
        for name in ("etime", "retime", "estime", "eetime"):
            setattr(record, name, 0 if live else marks["end"])
        record.hid, record.cid, record.hostname = marks["hid"], marks["cid"], "@hostname@"
        real.id, real.uid, real.gid, real.stime = marks["id"], marks["uid"], marks["gid"], marks["created"]
        real.etime = 0 if live else marks["end"]
        real.name, real.deploy_id = f"fleet-{real.id}", f"one-{real.id}"
        real.template = self.fleet.template_of(real.id, key - self.fleet.first_id, {"IP": "@ip@", "MAC": "@mac@"})
        real.records = [record]
        profile, names = self.fleet.profile, _Marks()
        text = dump.short(profile, real, names) if short else dump.full(profile, real, [record], None, names)
        parts: List[bytes] = []
        at = 0
        for found in _MARK.finditer(text):
            parts.append(escaped(text[at : found.start()]).replace(b"%", b"%%"))
            mark = found.group()
            name = mark.strip("@") if mark[0] == "@" else _NUMBERS[int(mark) - _BASE]
            parts.append(b"%%(%b)b" % name.encode())
            at = found.end()
        parts.append(escaped(text[at:]).replace(b"%", b"%%"))
        return b"".join(parts)
