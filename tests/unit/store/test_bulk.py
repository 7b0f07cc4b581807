from __future__ import annotations

from pathlib import Path
from typing import Dict, List

import pytest
from sqlalchemy import bindparam, func, insert, select, update

from fedcloud_agent.errors import StorageError
from fedcloud_agent.outbox.table import message
from fedcloud_agent.store.bulk import read_many, run_many
from fedcloud_agent.store.opening import in_use, open_store

CLOSE = (
    update(message)
    .where(message.c.id == bindparam("of_id"), message.c.state == "queued")
    .values(state="closed", attempted=bindparam("at"))
)


def queued(count: int) -> List[Dict[str, object]]:
    return [
        {"id": str(n), "destination": "central", "state": "queued", "created": n, "records": 1, "body": b"%%"}
        for n in range(count)
    ]


def test_many_rows_by_name_with_what_all_have_in_common(tmp_path: Path) -> None:
    with in_use(open_store(tmp_path), tmp_path) as store:
        with store.write() as connection:
            run_many(connection, insert(message), queued(1000))
            run_many(connection, insert(message), [])
            # the order of the keys is not that of the places in the statement
            run_many(connection, CLOSE, [{"at": n, "of_id": str(n)} for n in range(0, 1000, 2)])
            run_many(connection, CLOSE, [{"of_id": "0", "at": 7}])
        with store.read() as connection:
            closed = connection.execute(
                select(message.c.id, message.c.created, message.c.attempted).where(message.c.state == "closed")
            ).all()
            assert connection.execute(select(func.count()).select_from(message)).scalar_one() == 1000
    assert {tuple(row) for row in closed} == {(str(n), n, n) for n in range(0, 1000, 2)}


def test_rows_come_as_they_are_and_a_failure_on_the_way_is_one_in_words(tmp_path: Path) -> None:
    query = select(message.c.id, message.c.created, message.c.attempted).order_by(message.c.created)
    with in_use(open_store(tmp_path), tmp_path) as store:
        with store.write() as connection:
            run_many(connection, insert(message), queued(1000))
        with store.read() as connection:
            assert read_many(connection, query) == [(str(n), n, None) for n in range(1000)]
            assert read_many(connection, query.where(message.c.id == bindparam("of_id")), {"of_id": "x"}) == []
        with pytest.raises(StorageError, match="interrupted"), store.read() as connection:
            # the first row is found at once, and the search broken off behind it
            connection.connection.set_progress_handler(lambda: 1, 1000)  # type: ignore[attr-defined]
            try:
                read_many(connection, select(message.c.id))
            finally:
                connection.connection.set_progress_handler(None, 0)  # type: ignore[attr-defined]
