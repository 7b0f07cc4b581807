"""Rows, the guard's memory and the journal, in the agent's database."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Optional

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.clouds.accounts import Mark
from fedcloud_agent.store.engine import Store
from fedcloud_agent.users import tables
from fedcloud_agent.users.applying import Books
from fedcloud_agent.users.guard import Place
from fedcloud_agent.users.ownership import Ownership
from fedcloud_agent.users.steps import Step


class StoredBooks(Books):
    """The books of one run. Each call is one transaction; none lasts while a cloud is asked."""

    def __init__(self, store: Store, run: str, now: Callable[[], int]) -> None:
        self._store, self._run, self._now = store, run, now

    def rows(self, cloud: str) -> List[Ownership]:
        """Return what we own, or owned, in a cloud."""
        with self._store.read() as connection:
            found = connection.execute(select(tables.ownership).where(tables.ownership.c.cloud == cloud)).mappings()
            return [_row(values) for values in found]

    def bases(self, cloud: str) -> Dict[Place, int]:
        """Return what the guard remembers of a cloud."""
        table = tables.guard
        with self._store.read() as connection:
            found = connection.execute(
                select(table.c.facility, table.c.vo, table.c.base).where(table.c.cloud == cloud)
            ).all()
        return {(facility, vo): base for facility, vo, base in found}

    def remember(self, cloud: str, bases: Mapping[Place, int]) -> None:
        """Replace what the guard remembers of a cloud."""
        with self._store.write() as connection:
            connection.execute(delete(tables.guard).where(tables.guard.c.cloud == cloud))
            for (facility, vo), base in bases.items():
                connection.execute(insert(tables.guard).values(cloud=cloud, facility=facility, vo=vo, base=base))

    def begin(self, step: Step, row: Optional[Ownership]) -> int:
        """Note that a step begins, and the row that stands while it is being done; return the number of the entry."""
        cloud = step.after.cloud if step.after is not None else ""
        with self._store.write() as connection:
            if row is not None:
                _put(connection, row)
            entry = connection.execute(
                insert(tables.deed).values(
                    run=self._run,
                    begun=self._now(),
                    cloud=cloud,
                    vo=step.vo,
                    person=step.person,
                    name=step.name,
                    account=step.account.id if step.account is not None else None,
                    action=step.action,
                    reason=step.reason,
                )
            ).inserted_primary_key
        return int(entry[0])

    def end(self, entry: int, row: Optional[Ownership], error: Optional[str]) -> None:
        """Note how a step ended, with the row that stands from now on (None: as it stood)."""
        values: Dict[str, Any] = {"ended": self._now(), "error": error}
        if row is not None and row.account is not None:
            values["account"] = row.account
        with self._store.write() as connection:
            if row is not None:
                _put(connection, row)
            connection.execute(update(tables.deed).where(tables.deed.c.id == entry).values(**values))

    def note(self, row: Ownership) -> None:
        """Replace a row of which the cloud need not hear."""
        with self._store.write() as connection:
            _put(connection, row)


def _put(connection: Connection, row: Ownership) -> None:
    table = tables.ownership
    connection.execute(delete(table).where(and_(table.c.cloud == row.cloud, table.c.name == row.name)))
    connection.execute(
        insert(table).values(
            cloud=row.cloud,
            name=row.name,
            vo=row.vo,
            person=row.person,
            uid=row.uid,
            facility=row.facility,
            mark_perun=row.mark.perun,
            mark_user=row.mark.user,
            mark_vo=row.mark.vo,
            state=row.state,
            account=row.account,
            keys=row.keys,
            missing_since=row.missing_since,
            overdue_since=row.overdue_since,
            former=json.dumps(list(row.former)),
        )
    )


def _row(values: Mapping[Any, Any]) -> Ownership:
    kept = dict(values)
    mark = Mark(kept.pop("mark_perun"), kept.pop("mark_user"), kept.pop("mark_vo"))
    return Ownership(**{**kept, "mark": mark, "former": tuple(json.loads(kept["former"]))})
