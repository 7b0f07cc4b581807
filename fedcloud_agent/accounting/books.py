"""What the ledger tells a plugin of its cloud's machines."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence

from sqlalchemy import bindparam, select

from fedcloud_agent.accounting import tables
from fedcloud_agent.accounting.tables import vm
from fedcloud_agent.clouds.contract import COMPLETED, Past, VirtualMachine
from fedcloud_agent.store.bulk import read_many
from fedcloud_agent.store.engine import Store

_PAGE = 500
_COLUMNS = tuple(vm.c[name] for name in VirtualMachine._fields)
_KNOWN = select(*_COLUMNS).where(vm.c.cloud == bindparam("of_cloud"), vm.c.uuid.in_(bindparam("uuids", expanding=True)))
_LIVING = (
    select(vm.c.id, *_COLUMNS)
    .where(
        vm.c.cloud == bindparam("of_cloud"),
        vm.c.scope == bindparam("of_scope"),
        vm.c.status != COMPLETED,
        vm.c.id > bindparam("after"),
    )
    .order_by(vm.c.id)
    .limit(_PAGE)
)


class Books(Past):
    """The past of one cloud, from its ledger. Each call reads in a transaction of its own."""

    def __init__(self, store: Store, cloud: str) -> None:
        self._store = store
        self._cloud = cloud

    def known(self, uuids: Sequence[str]) -> Mapping[str, VirtualMachine]:
        """Return those of these machines that the ledger holds."""
        found: Dict[str, VirtualMachine] = {}
        for begin in range(0, len(uuids), _PAGE):
            with self._store.read() as connection:
                wanted = {"of_cloud": self._cloud, "uuids": list(uuids[begin : begin + _PAGE])}
                rows = read_many(connection, _KNOWN, wanted)
            found.update((machine.uuid, machine) for machine in map(_machine, rows))
        return found

    def living(self, scope: str) -> Iterator[VirtualMachine]:
        """Yield the machines of a scope that are not completed, in the order in which they were first seen."""
        after = 0
        while True:
            with self._store.read() as connection:
                wanted = {"of_cloud": self._cloud, "of_scope": scope, "after": after}
                rows = read_many(connection, _LIVING, wanted)
            for row in rows:
                yield _machine(row[1:])
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def mark(self, scope: str) -> Optional[str]:
        """Return the plugin's own mark of a scope."""
        with self._store.read() as connection:
            found: Optional[str] = connection.execute(
                select(tables.scope.c.mark).where(tables.scope.c.cloud == self._cloud, tables.scope.c.name == scope)
            ).scalar()
        return found


def _machine(row: Sequence[Any]) -> VirtualMachine:
    machine = VirtualMachine._make(row)
    if machine.running is None:
        return machine
    running = json.loads(str(machine.running))
    return machine._replace(running=tuple((begin, stop) for begin, stop in running))
