"""A machine's life as oned writes it down, for each of the three ways in which releases record a stop.

Written after what servers 5.4.15 (EARLY), 5.12.0.4 (MIDDLE) and 6.10.5 (LATE) were seen to do. Beside that it knows
what truly happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from fedcloud_plugins.opennebula.row import Form, Row
from tests.unit.opennebula.elements import row

EARLY, MIDDLE, LATE = "early", "middle", "late"
RUNNING, MIGRATING, OFF, UNDEPLOYED, DONE = (3, 3), (3, 4), (8, 0), (9, 0), (6, 0)

Span = Tuple[int, int]


@dataclass
class Stop:
    """A time in which the guest was off. ``told``: since when oned tells that it is."""

    begin: int
    doubt: int
    """From here on oned may claim that it ran."""
    told: Optional[int] = None
    seen: Optional[int] = None


@dataclass
class Machine:
    """One machine. Instants are seconds since its STIME."""

    behaviour: str
    records: List[Dict[str, Optional[int]]] = field(default_factory=list)
    state: Tuple[int, int] = (1, 0)
    etime: Optional[int] = None
    truth: List[List[Optional[int]]] = field(default_factory=list)
    stops: List[Stop] = field(default_factory=list)

    @property
    def last(self) -> Dict[str, Optional[int]]:
        return self.records[-1]

    def _open(self, at: int, host: int, **fields: Optional[int]) -> None:
        seq = (self.last["SEQ"] or 0) + 1 if self.records else 0
        self.records.append({"SEQ": seq, "HID": host, "STIME": at, **fields})

    def run(self, at: int, host: int) -> None:
        """Deploy it, or start it again; on its own host if it still has its place there."""
        if self.state == OFF:
            host = self.last["HID"] or 0
            if self.behaviour == MIDDLE:
                self.last.update(RETIME=at, ETIME=at)
            elif self.behaviour == LATE:
                self.last.update(ETIME=at)
        if self.stops and self.stops[-1].told is None:
            self.stops[-1].told = at
        self._open(at, host, RSTIME=at)
        self.truth.append([at, None])
        self.state = RUNNING

    def _stopped(self, at: int) -> None:
        self.truth[-1][1] = at
        self.stops.append(Stop(at, at))

    def poweroff(self, at: int) -> None:
        self._stopped(at)
        self.state = OFF
        self.last.update(ACTION=19)
        if self.behaviour == EARLY:
            self.last.update(RETIME=at, ETIME=at)
        elif self.behaviour == LATE:
            self.last.update(RETIME=at)
        if self.behaviour != MIDDLE:
            self.stops[-1].told = at

    def undeploy(self, at: int) -> None:
        if self.state == RUNNING:
            self._stopped(at)
            self.last.update(RETIME=at)
        if self.stops[-1].told is None:
            self.stops[-1].told = at
        self.last.update(ACTION=5, ESTIME=at, ETIME=at)
        self.state = UNDEPLOYED

    def attach(self, at: int) -> None:
        """Close the record and open a copy of it."""
        if self.state == RUNNING:
            self.last.update(RETIME=at, ETIME=at, ACTION=21)
            self._open(at, self.last["HID"] or 0, RSTIME=at)
            return
        host = self.last["HID"] or 0
        self.last.update(ACTION=21)
        if self.behaviour == MIDDLE:
            self.last.update(RETIME=at, ETIME=at)
            self._open(at, host, RSTIME=at, ACTION=19)
            if self.stops[-1].told is not None:  # after a move, which told it
                self.stops.append(Stop(at, at, seen=self.stops[-1].seen))
            return
        self.last.update(ETIME=at)
        self._open(at, host, RSTIME=at, RETIME=at, ACTION=19, ETIME=at if self.behaviour == EARLY else None)
        stop = self.stops[-1]
        if stop.told == stop.begin:
            stop.doubt = at
        else:
            self.stops.append(Stop(at, at, told=at, seen=stop.seen))

    def move(self, at: int, host: int) -> None:
        """Migrate a guest that is off."""
        stop = self.stops[-1]
        if self.behaviour == EARLY:
            self._open(at, host, ETIME=at, ACTION=1)
            return
        if self.last.get("RSTIME") and (stop.told is None or stop.seen is None):
            stop.told = at  # from 6.0.1 on it told before, and claims otherwise from now on
        self.last.update(RETIME=at, ETIME=at)
        self._open(at, host, ACTION=1, RETIME=at if self.behaviour == LATE else None)

    def migrate(self, at: int, host: int) -> None:
        self._open(at, host)
        self.state = MIGRATING

    def migrated(self, at: int) -> None:
        self.records[-2].update(RETIME=at, ETIME=at, ACTION=2)
        self.last.update(RSTIME=at)
        self.state = RUNNING

    def purge(self) -> None:
        """What ``onedb purge-history`` leaves."""
        self.records = [{**record, "SEQ": number} for number, record in enumerate(self.records[-2:])]

    def terminate(self, at: int) -> None:
        if self.state == RUNNING:
            self.truth[-1][1] = at
            self.last.update(RETIME=at)
        elif self.stops:
            stop, untold = self.stops[-1], self.last.get("RSTIME") and not self.last.get("RETIME")
            if stop.told is None or (untold and stop.seen is None):
                stop.told = at
        if self.records:
            self.last.update(ESTIME=at, ETIME=at, ACTION=27)
        self.etime = at
        self.state = DONE

    def shown(self, form: Form) -> Row:
        return row(*self.state, self.records, etime=self.etime, form=form)

    def look(self, at: int) -> None:
        """Note that somebody looked; a stop that is seen is known."""
        if self.state in (OFF, UNDEPLOYED) and self.stops[-1].seen is None:
            self.stops[-1].seen = at

    def claimed(self, until: int) -> List[Span]:
        """Return when it ran before ``until``, and the times in which nobody could know that it did not."""
        spans = [(begin or 0, until if stop is None else stop) for begin, stop in self.truth]
        for stop in self.stops:
            told = until if stop.told is None else stop.told
            begin = stop.begin if self.behaviour == MIDDLE else stop.doubt
            spans.append((begin, told if stop.seen is None or stop.seen > told else stop.seen))
        found: List[Span] = []
        for begin, stop in sorted(spans):
            if stop <= begin:
                continue
            if found and begin <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], stop))
            else:
                found.append((begin, stop))
        return found
