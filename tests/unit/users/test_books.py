"""Books in the database tell what was put in; payloads are kept whole, for a while, for their owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.errors import RefusedError, StorageError
from fedcloud_agent.store.engine import Store
from fedcloud_agent.store.opening import open_store
from fedcloud_agent.users.applying import apply
from fedcloud_agent.users.books import StoredBooks
from fedcloud_agent.users.delivery import Delivery, Rules, accept
from fedcloud_agent.users.payloads import LONGEST_KEPT, Payloads
from fedcloud_agent.users.planning import make_plan
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import Population
from tests.unit.users.world import SITE, Cloud, person

NOW = 1_700_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "state")
    yield store
    store.close()


def delivery(facility: str = SITE) -> Delivery:
    members = {
        "FACILITY": facility.encode(),
        "SERVICE": b"fedcloud_export",
        "VERSION": b"3.1.0",
        "CLOUD_PLATFORM": b"opennebula",
        "RUN_ID": b"5",
        "fedcloud_export": b"",
    }
    return accept(members, Rules(frozenset(), frozenset({facility})))


def test_what_is_done_is_in_the_books(store: Store) -> None:
    cloud, books = Cloud(), StoredBooks(store, "run", lambda: NOW)

    def sync(*numbers: int) -> None:
        population = Population(SITE, NOW, tuple(person(n) for n in numbers))
        plan = make_plan("main", cloud.accounts(), books.rows("main"), [population], Policy(), books.bases("main"))
        apply(plan, cloud, books)

    cloud.errors["vo.a_1002"] = RefusedError("no room")
    sync(1, 2)
    cloud.errors.clear()
    sync(1, 2, 3)
    (row,) = (row for row in books.rows("main") if row.name == "vo.a_1001")
    assert (row.state, row.account, row.person, row.former) == ("owned", "1", "uuid:1", ())
    assert books.rows("other") == []
    sync(4)
    assert books.bases("main") == {(SITE, "vo.a"): 3} and books.bases("other") == {}
    sync(1, 2, 3, 4)
    assert books.bases("main") == {}
    with store.read() as connection:
        deeds = connection.exec_driver_sql("SELECT name, account, action, ended, error FROM deed ORDER BY id").all()
        everything = " ".join(
            str(tuple(values))
            for table in ("ownership", "deed", "guard")
            for values in connection.exec_driver_sql(f"SELECT * FROM {table}").all()
        )
    assert deeds[:3] == [
        ("vo.a_1001", "1", "create", NOW, None),
        ("vo.a_1002", None, "create", NOW, "no room"),
        ("vo.a_1002", "2", "create", NOW, None),
    ]
    assert len(deeds) == 5
    assert "CN=" not in everything and "@" not in everything and "Person" not in everything


def test_payloads_are_kept_for_a_while(store: Store, tmp_path: Path) -> None:
    directory = tmp_path / "payloads"
    payloads = Payloads(directory, store)
    assert payloads.newest(SITE) is None
    os.umask(0o022)
    for number in range(12):
        kept = payloads.keep(b"%d" % number, delivery(), NOW + number)
    payloads.keep(b"other", delivery("OTHER"), NOW)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    newest = payloads.newest(SITE)
    assert newest == kept and newest.run == "5" and payloads.read(newest) == b"11"
    assert len(payloads.all()) == len(list(directory.iterdir())) == 11
    (directory / "1-0000.tar").write_bytes(b"left by a crash")
    payloads.keep(b"last", delivery("OTHER"), NOW + LONGEST_KEPT + 5)
    # of either facility the newest, and what is not too old
    assert sorted((one.facility, one.received - NOW) for one in payloads.all()) == [
        ("OTHER", LONGEST_KEPT + 5),
        *(((SITE, number)) for number in range(5, 12)),
    ]
    assert len(list(directory.iterdir())) == 8


def test_a_payload_that_was_changed_is_not_used(store: Store, tmp_path: Path) -> None:
    payloads = Payloads(tmp_path / "payloads", store)
    kept = payloads.keep(b"whole", delivery(), NOW)
    (tmp_path / "payloads" / kept.file).write_bytes(b"hole")
    with pytest.raises(StorageError, match="damaged"):
        payloads.read(kept)
    (tmp_path / "payloads" / kept.file).unlink()
    with pytest.raises(StorageError, match="No such file"):
        payloads.read(kept)
