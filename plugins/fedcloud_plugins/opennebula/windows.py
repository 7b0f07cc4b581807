"""Ranges of ids, read in windows that are neither too large for oned nor too many for us.

oned writes an answer only when it has it whole, in up to ten times its size of memory, and none beyond 128 MiB. So a
window begins small, grows while answers are small and shrinks when they are not. A machine that oned cannot tell blinds
the whole window: then halves are asked for, down to the one machine.
"""

from __future__ import annotations

import logging
from typing import Iterator, List, Optional, Sequence, Set

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import AgentError, RemoteDataError
from fedcloud_agent.http import FailedError, LargeError, SlowError
from fedcloud_plugins.opennebula.machines import ALL, LARGEST_ID, Machines
from fedcloud_plugins.opennebula.row import Form, Row
from fedcloud_plugins.opennebula.streaming import GarbledError
from fedcloud_plugins.opennebula.xmlrpc import NOT_ENCODABLE, FaultError

log = logging.getLogger(__name__)

_SMALL = 4 * 1000**2
_LARGE = 32 * 1000**2
_NEVER = 64 * 1000**2
"""What a window may at most bring, were there a machine of the usual size for each of its ids."""
_USUAL = 8000
_WIDEST_BRIEF = 16384
_MOST_SILENCES = 3
"""After so many smaller questions without an answer in time, it is not the size of the answers."""


def is_too_much(error: AgentError) -> bool:
    """Tell whether an error says that less has to be asked for at once."""
    return isinstance(error, (SlowError, LargeError)) or (isinstance(error, FailedError) and error.status == 500)


def is_blinding(error: AgentError) -> bool:
    """Tell whether an error says that something in the answer cannot be told."""
    return isinstance(error, GarbledError) or (isinstance(error, FaultError) and error.code == NOT_ENCODABLE)


class Windows:
    """Reads the machines of one oned by ranges of ids, each range in ascending order.

    ``blind`` are the ids of machines that can only be told in brief: at first those known from before, which are not
    asked for in full. ``problems`` is what a person should hear of them.
    """

    def __init__(self, machines: Machines, width: int, blind: Sequence[int] = ()) -> None:
        self.machines = machines
        self.blind: Set[int] = set()
        self.problems: List[Problem] = []
        self._expected_blind = set(blind)
        self._width = width
        self._usual = _USUAL
        self._shrunk = False
        self._silences = 0
        self._sighted = False

    def along(self, ends: Sequence[int], state: int) -> Iterator[List[Row]]:
        """Read the ids from 0 to the last of ``ends``, in steps that lead from one of these ids to another.

        As many steps are made at once as the size of answers allows.
        """
        done, stride, first = 0, 1, 0
        while done < len(ends):
            taken = min(stride, len(ends) - done)
            last = ends[done + taken - 1]
            self._shrunk, largest = False, 0
            for rows in self._read(first, last, state):
                largest = max(largest, self.machines.wire.size)
                yield rows
            if self._shrunk or largest > _LARGE:
                stride = max(1, taken // 2)
            elif largest < _SMALL:
                stride *= 2
            done, first = done + taken, last + 1

    def upward(self, first: int, top: Optional[int], state: int) -> Iterator[List[Row]]:
        """Read the ids from ``first`` to ``top``, or as far as there are any."""
        seen = 0
        while first <= (LARGEST_ID if top is None else top):
            last = min(first + self._width - 1, LARGEST_ID if top is None else top)
            self._shrunk, largest, found = False, 0, 0
            for rows in self._read(first, last, state):
                largest = max(largest, self.machines.wire.size)
                found += len(rows)
                yield rows
            self._adapt(largest, found)
            seen += found
            first = last + 1
            if not found:
                if top is None and not self._anything(first, seen):
                    return
                first = self._across(first, top)

    def _adapt(self, largest: int, found: int) -> None:
        if found:
            self._usual = max(_USUAL, min(largest, _NEVER) // found)
        if self._shrunk or largest > _LARGE:
            self._width = max(1, self._width // 2)
        elif largest < _SMALL:
            self._width = max(self._width, min(2 * self._width, _NEVER // self._usual))

    def _read(self, first: int, last: int, state: int) -> Iterator[List[Row]]:
        for number in sorted(n for n in self._expected_blind if first <= n <= last):
            if first < number:
                yield from self._read_open(first, number - 1, state)
            yield self._in_brief(number, state, "as before")
            first = number + 1
        if first <= last:
            yield from self._read_open(first, last, state)

    def _read_open(self, first: int, last: int, state: int) -> Iterator[List[Row]]:
        try:
            rows = self.machines.window(first, last, state)
        except AgentError as error:
            blinding = is_blinding(error)
            if not (blinding or is_too_much(error)):
                raise
            if blinding:
                self._check_sight(error)
            self._silences += isinstance(error, SlowError)
            if self._silences > _MOST_SILENCES or (first == last and not blinding):
                raise
            if first == last:
                yield self._in_brief(first, state, error.message)
                return
            log.info("ids %d to %d are asked for in two halves: %s", first, last, error.message)
            self._shrunk = self._shrunk or not blinding
        else:
            self._silences = 0
            yield rows
            return
        middle = (first + last) // 2
        yield from self._read_open(first, middle, state)
        yield from self._read_open(middle + 1, last, state)

    def _check_sight(self, error: AgentError) -> None:
        """Raise an error that a machine seems to cause, if oned cannot even tell a range without any."""
        if self._sighted:
            return
        for read in (self.machines.window, self.machines.brief):
            try:
                read(LARGEST_ID, LARGEST_ID, ALL)
            except AgentError as other:
                if not is_blinding(other):
                    raise
                raise RemoteDataError(
                    "oned cannot even tell a range of ids without machines, so it is no machine that is odd: "
                    f"{error.message}",
                    hint="look into oned.log; is a proxy between us and oned?",
                ) from error
        self._sighted = True

    def _in_brief(self, number: int, state: int, reason: str) -> List[Row]:
        """Return a machine as far as oned can tell it."""
        self.blind.add(number)
        try:
            rows = self.machines.brief(number, number, state)
        except AgentError as error:
            if not is_blinding(error):
                raise
            self.machines.odd[number] = error.message
            self.problems.append(
                Problem(f"machine {number}", f"oned cannot tell it at all, not even its name: {error.message}")
            )
            return []
        if rows:
            self.problems.append(
                Problem(
                    f"machine {number}",
                    "oned cannot tell its attributes, so it is known in brief only; a character beyond U+FFFF is in "
                    f"them, which has to be taken out: {reason}",
                )
            )
        return rows

    def _anything(self, first: int, seen: int) -> bool:
        """Tell whether there are machines from an id on. Asked for outright, that might be all that oned has."""
        if self.machines.dialect.offsets:
            for offset in dict.fromkeys((0, seen)):
                try:
                    if any(row.id >= first for row in self.machines.rows_from(offset)):
                        return True
                except AgentError as error:
                    if not is_blinding(error):
                        raise
        try:
            return self.machines.anything_from(first)
        except AgentError as error:
            if is_too_much(error) or is_blinding(error):
                return True
            raise

    def _across(self, first: int, top: Optional[int]) -> int:
        """Return the next id at which to go on after an empty window: of the next machine, or beyond ``top``."""
        width, widest = self._width, _WIDEST_BRIEF
        if self.machines.dialect.brief_form is not Form.SHORT:
            widest = _NEVER // _USUAL
        while first <= (LARGEST_ID if top is None else top):
            try:
                rows = self.machines.brief(first, first + width - 1, ALL)
            except AgentError as error:
                if is_too_much(error) or is_blinding(error):
                    return first
                raise
            if rows:
                return rows[0].id
            first += width
            width = min(2 * width, widest)
        return first


def highest(machines: Machines) -> Optional[Row]:
    """Return the machine with the highest id, from an oned that lists the newest first; None: it does not tell."""
    if not machines.dialect.offsets:
        return None
    try:
        rows = machines.rows_from(0)
    except AgentError as error:
        if is_blinding(error):
            return None
        raise
    return rows[0] if len(rows) > 1 and rows[0].id > rows[1].id else None
