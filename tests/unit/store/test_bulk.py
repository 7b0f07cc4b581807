from __future__ import annotations

from pathlib import Path

from sqlalchemy import bindparam, func, insert, select, update

from fedcloud_agent.outbox.table import message
from fedcloud_agent.store.bulk import run_many
from fedcloud_agent.store.opening import in_use, open_store

CLOSE = (
    update(message)
    .where(message.c.id == bindparam("of_id"), message.c.state == "queued")
    .values(state="closed", attempted=bindparam("at"))
)


def test_many_rows_by_name_with_what_all_have_in_common(tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "destination": "central", "state": "queued", "created": n, "records": 1, "body": b"%%"}
        for n in range(1000)
    ]
    with in_use(open_store(tmp_path), tmp_path) as store:
        with store.write() as connection:
            run_many(connection, insert(message), rows)
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
