"""One listing of all machines of an oned: which are asked for, how, and what becomes of those that do not show.

A machine that came to its end is never asked for again: a first listing reads every id, a later one what is alive, what
is new, and what the ledger still holds alive. The mark of the listing before says how far the ids went.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Union

from fedcloud_agent.clouds.contract import COMPLETED, Page, Past, Problem, Unreadable, VirtualMachine, Window
from fedcloud_agent.errors import AgentError
from fedcloud_plugins.opennebula.census import Census, Ids
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.machines import ALL, LIVE, Machines, UnfitError
from fedcloud_plugins.opennebula.mapping import Reading, machine_of, vo_of
from fedcloud_plugins.opennebula.mark import Mark, Sketch, mark_of, written
from fedcloud_plugins.opennebula.row import Row
from fedcloud_plugins.opennebula.states import is_over
from fedcloud_plugins.opennebula.vmuuid import id_of
from fedcloud_plugins.opennebula.windows import Windows, highest, is_blinding

SCOPE = "*"

_PAGE = 500


class _Named(NamedTuple):
    number: int
    stime: int
    uuid: str


class Walk:
    """Reads one listing. ``problems``: where others leave what a person should hear of, told with the next page."""

    def __init__(
        self,
        machines: Machines,
        past: Past,
        window: Window,
        reading: Reading,
        living: Census,
        problems: List[Problem],
    ) -> None:
        self._machines = machines
        self._past = past
        self._window = window
        self._reading = reading
        self._living = living
        self._problems = problems
        self._mark = mark_of(past.mark(SCOPE))
        width = reading.settings.window
        # what was blind is tried again with each full listing
        known_blind = self._mark.blind if self._mark is not None and not window.full else ()
        self._windows = Windows(machines, width, known_blind)
        self._sketch = Sketch(width)
        self._seen = Ids()
        self._replaced: Dict[int, int] = {}
        """STIME of the machine that now has an id which the ledger holds alive under another name."""
        self._told: Set[Problem] = set()

    def pages(self) -> Iterator[Page]:
        """Yield what there is, the live ones first: who ends meanwhile is found among those that did not show."""
        top = highest(self._machines)
        mark = self._mark
        if mark is None or (top is not None and mark.denies(top)):
            yield from self._whole(top)
        else:
            yield from self._since(mark, top)
        yield Page((), (), self._heard(), written(self._sketch.mark(tuple(self._windows.blind))))

    def _whole(self, top: Optional[Row]) -> Iterator[Page]:
        self._sketch = Sketch(self._reading.settings.window)
        for rows in self._windows.upward(0, None if top is None else top.id, ALL):
            yield from self._take(rows)
        # every id was asked for, so who did not show is denied
        for batch in self._missing():
            told = [self._denied_or_odd(name) for name in batch]
            yield from self._page([], [one for one in told if one is not None])

    def _since(self, mark: Mark, top: Optional[Row]) -> Iterator[Page]:
        self._sketch = Sketch(self._reading.settings.window, mark)
        for rows in self._windows.along(mark.ends, LIVE):
            if any(mark.denies(row) for row in rows):
                # oned was installed anew and counts from 0 again: also what is over there by now is unknown
                yield from self._whole(top)
                return
            yield from self._take(rows)
        for rows in self._windows.upward(mark.high + 1, None if top is None else top.id, ALL):
            yield from self._take(rows)
        for batch in self._missing():
            yield from self._ask_again(batch)

    def _take(self, rows: Sequence[Row]) -> Iterator[Page]:
        self._sketch.see(rows)
        for begin in range(0, len(rows), _PAGE):
            yield from self._page(rows[begin : begin + _PAGE], [])

    def _page(self, rows: Sequence[Row], unreadable: List[Unreadable]) -> Iterator[Page]:
        uuids = [self._reading.naming.uuid(row.id, row.stime) for row in rows]
        known = self._past.known(uuids) if uuids else {}
        found: List[VirtualMachine] = []
        for row, uuid in zip(rows, uuids):
            before = known.get(uuid)
            self._seen.add(row.id)
            if before is None and row.id in self._living.ids:
                self._replaced[row.id] = row.stime
            told = self._read(row, uuid, before)
            if isinstance(told, VirtualMachine):
                found.append(told)
            elif told is not None:
                unreadable.append(told)
        problems = self._heard()
        if found or unreadable or problems:
            yield Page(found, unreadable, problems)

    def _read(self, row: Row, uuid: str, before: Optional[VirtualMachine]) -> Union[VirtualMachine, Unreadable, None]:
        since = self._window.since
        if is_over(row):
            if before is not None and before.status == COMPLETED:
                return None
            if before is None and since is not None and 0 < row.etime < since:
                return None
        if vo_of(row, before, self._reading) is not None and needs_history(row, before):
            whole = self._in_full(row, uuid)
            if not isinstance(whole, Row):
                return whole
            row = whole
        told, problems = machine_of(row, before, self._reading)
        self._problems.extend(problems)
        return told

    def _in_full(self, row: Row, uuid: str) -> Union[Row, Unreadable, None]:
        """Return a machine with all its history, or what is to be said when there is none."""
        if row.id in self._windows.blind:
            return row
        try:
            whole = self._machines.one(row.id)
        except UnfitError as error:
            return Unreadable(uuid, error.message)
        except AgentError as error:
            if not is_blinding(error):
                raise
            self._windows.blind.add(row.id)
            self._problems.append(Problem(f"machine {row.id}", f"its history cannot be read: {error.message}"))
            return row
        if whole is None or whole.stime != row.stime:
            return self._denied(uuid)
        return whole

    def _denied(self, uuid: str) -> Optional[Unreadable]:
        """Return what is told of a machine that oned denies: nothing in a full listing, where absence is the word."""
        return None if self._window.full else Unreadable(uuid, "oned says that there is no such machine")

    def _denied_or_odd(self, name: _Named) -> Optional[Unreadable]:
        reason = self._machines.odd.get(name.number)
        return self._denied(name.uuid) if reason is None else Unreadable(name.uuid, reason)

    def _missing(self) -> Iterator[List[_Named]]:
        """Yield the machines that the ledger holds alive and that did not show."""
        batch: List[_Named] = []
        for machine in self._past.living(SCOPE):
            number, stime = id_of(machine.uuid)
            if number in self._seen and self._replaced.get(number, stime) == stime:
                continue
            batch.append(_Named(number, stime, machine.uuid))
            if len(batch) == _PAGE:
                yield batch
                batch = []
        if batch:
            yield batch

    def _ask_again(self, batch: List[_Named]) -> Iterator[Page]:
        odd = self._machines.odd
        asked = [name.number for name in batch if name.number not in self._replaced and name.number not in odd]
        rows = {row.id: row for row in (self._machines.several(asked) if asked else [])}
        for number in asked:
            if number not in rows and number in odd:
                rows.update((row.id, row) for row in self._in_brief(number))
        told: List[Row] = []
        unreadable: List[Unreadable] = []
        for name in batch:
            row = rows.get(name.number)
            if row is not None and row.stime == name.stime:
                told.append(row)
                continue
            said = self._denied(name.uuid) if row is not None else self._denied_or_odd(name)
            if said is not None:
                unreadable.append(said)
        yield from self._page(told, unreadable)

    def _in_brief(self, number: int) -> List[Row]:
        try:
            rows = self._machines.brief(number, number, ALL)
        except AgentError as error:
            if not is_blinding(error):
                raise
            return []
        self._windows.blind.update(row.id for row in rows)
        return rows

    def _heard(self) -> List[Problem]:
        """Return the problems that were not told yet."""
        nonsense = [Problem("a machine of the listing", reason) for reason in self._machines.nonsense]
        heard = dict.fromkeys([*self._problems, *self._windows.problems, *nonsense])
        for source in (self._problems, self._windows.problems, self._machines.nonsense):
            source.clear()
        fresh = [problem for problem in heard if problem not in self._told]
        self._told.update(fresh)
        return fresh
