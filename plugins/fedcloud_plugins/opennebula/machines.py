"""The calls that bring machines. Whatever order oned has, what comes from here ascends by id."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Dict, List, Optional, Sequence

from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.opennebula.dialect import Dialect
from fedcloud_plugins.opennebula.row import Form, Row, row_of
from fedcloud_plugins.opennebula.streaming import GarbledError
from fedcloud_plugins.opennebula.wire import Wire
from fedcloud_plugins.opennebula.xmlrpc import NOT_ENCODABLE, AbsentError, FaultError

ALL = -2
LIVE = -1
"""Of every state but DONE."""
_POOL = "VM_POOL"
_EVERYBODY = -2
LARGEST_ID = 2**31 - 1


class UnfitError(RemoteDataError):
    """An element came, of which no machine can be made."""


class Machines:
    """The machines of one oned. ``odd`` are those that no row can be made of, by id, with the reason."""

    def __init__(self, wire: Wire, dialect: Dialect) -> None:
        self.wire = wire
        self.dialect = dialect
        self.odd: Dict[int, str] = {}
        self.nonsense: List[str] = []
        """What is wrong with elements that have not even an id."""

    def window(self, first: int, last: int, state: int) -> List[Row]:
        """Return the machines with ids from ``first`` to ``last``, as much of them as a list tells."""
        return self._listed(self.dialect.pool, first, last, state, self.dialect.form)

    def brief(self, first: int, last: int, state: int) -> List[Row]:
        """Return the same machines in the form that oned can tell although one of them holds an odd character."""
        return self._listed(self.dialect.brief, first, last, state, self.dialect.brief_form)

    def rows_from(self, offset: int) -> List[Row]:
        """Return two machines by their place in the list, in the order of the list."""
        return self._taken(_EVERYBODY, offset, -2, ALL)

    def anything_from(self, first: int) -> bool:
        """Tell whether there is a machine with this id or a higher one."""
        return bool(self._taken(_EVERYBODY, first, -1, ALL))

    def _taken(self, *arguments: int) -> List[Row]:
        form = self.dialect.brief_form
        return self.wire.read(_POOL, self.dialect.brief, *arguments, take=lambda element: self._row(element, form))

    def _listed(self, method: str, first: int, last: int, state: int, form: Form) -> List[Row]:
        # a negative end means something else altogether
        assert 0 <= first <= last
        rows = self.wire.read(
            _POOL,
            method,
            _EVERYBODY,
            first,
            min(last, LARGEST_ID),
            state,
            take=lambda element: self._row(element, form),
        )
        return sorted((row for row in rows if first <= row.id <= last), key=lambda row: row.id)

    def one(self, number: int) -> Optional[Row]:
        """Return one machine with all its history, or None when oned says that there is none.

        Raises UnfitError for one that cannot be told apart as a machine.
        """
        try:
            element = self.wire.document("VM", "one.vm.info", number)
        except AbsentError:
            return None
        try:
            return row_of(element, Form.FULL)
        except ValueError as error:
            raise UnfitError(f"{self.wire.url}: machine {number} cannot be read: {error}") from error

    def several(self, numbers: Sequence[int]) -> List[Row]:
        """Return those of these machines that there are. One that cannot be read is in ``odd``."""
        if not self.dialect.infoset or len(numbers) == 1:
            return [row for row in map(self._one_or_odd, numbers) if row is not None]
        try:
            return self.wire.read(
                _POOL,
                "one.vmpool.infoset",
                ",".join(map(str, numbers)),
                True,
                take=lambda element: self._row(element, Form.LAST),
            )
        except FaultError as error:
            if error.code != NOT_ENCODABLE:
                raise
        except GarbledError:
            pass
        half = len(numbers) // 2
        return [*self.several(numbers[:half]), *self.several(numbers[half:])]

    def _one_or_odd(self, number: int) -> Optional[Row]:
        try:
            return self.one(number)
        except (FaultError, GarbledError, UnfitError) as error:
            if isinstance(error, FaultError) and error.code != NOT_ENCODABLE:
                raise
            self.odd[number] = error.message
            return None

    def _row(self, element: ET.Element, form: Form) -> Optional[Row]:
        try:
            return row_of(element, form)
        except ValueError as error:
            number = element.findtext("ID", "")
            if number.isascii() and number.isdigit():
                self.odd[int(number)] = str(error)
            else:
                self.nonsense.append(str(error))
            return None
