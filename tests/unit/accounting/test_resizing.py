"""When a machine had which size, where the cloud tells only the present one and when it changed last."""

from __future__ import annotations

import json
from typing import Optional

import pytest
from sqlalchemy import select

from fedcloud_agent.accounting import ledger
from fedcloud_agent.accounting.tables import vm
from fedcloud_agent.clouds.contract import STARTED, Listing, Page, VirtualMachine, Window
from fedcloud_agent.store.engine import Store

START = 1_768_910_400


def look(store: Store, at: int, cpus: int, start: Optional[int], changed: int) -> object:
    """Take one look at the machine and return its sizes as the ledger holds them."""
    machine = VirtualMachine(
        *("vm-1", "vm", STARTED, "ACTIVE", "user", "group", None, "vo", start, None, changed, cpus),
        *(2048, 20, None, None),
    )
    page = Page([machine])
    listing = Listing("*", frozenset({"group"}), Window(True, None), at, 0, iter([page]))
    with store.write() as connection:
        ledger.take(connection, "main", listing, 1, page)
        sizes = connection.execute(select(vm.c.sizes)).scalar()
    return None if sizes is None else json.loads(str(sizes))


@pytest.mark.parametrize(
    ("changed", "since"),
    [(START + 7000, START + 7000), (START + 100, START + 10800), (START + 99000, START + 10800)],
    ids=["between the looks", "before the last look", "in the future"],
)
def test_a_resize_is_dated_by_the_last_change_if_that_lies_between_two_looks(
    store: Store, changed: int, since: int
) -> None:
    assert look(store, START + 3600, 2, START, START) is None
    assert look(store, START + 10800, 4, START, changed) == [[START, 2], [since, 4]]


def test_a_machine_that_was_seen_before_it_started_began_with_the_size_that_it_had_then(store: Store) -> None:
    assert look(store, START + 60, 2, None, START) is None
    assert look(store, START + 10800, 4, START, START + 7000) == [[START, 2], [START + 7000, 4]]


def test_machines_of_one_page_that_changed_in_different_ways_are_all_written_down(store: Store) -> None:
    def machine(number: int, **changes: object) -> VirtualMachine:
        told = VirtualMachine(
            *(f"vm-{number}", "vm", STARTED, "ACTIVE", "user", "group", None, "vo", START, None, START, 1),
            *(2048, 20, None, None),
        )
        return told._replace(**changes)  # type: ignore[arg-type]

    changes = [{}, {"memory": 4096}, {"memory": 8192}, {"name": "other", "image": "image-1"}, {"cpu_count": 2}]
    for page in (
        Page([machine(number) for number in range(5)]),
        Page([machine(number, **change) for number, change in enumerate(changes)]),
    ):
        with store.write() as connection:
            listing = Listing("*", frozenset({"group"}), Window(True, None), START + 3600, 0, iter([page]))
            taken = ledger.take(connection, "main", listing, 1, page)
    assert (taken.new, taken.changed, taken.unchanged) == (0, 4, 1)
    with store.read() as connection:
        rows = connection.execute(select(vm.c.name, vm.c.memory, vm.c.image, vm.c.cpu_count).order_by(vm.c.uuid)).all()
    assert [tuple(row) for row in rows] == [
        ("vm", 2048, None, 1),
        ("vm", 4096, None, 1),
        ("vm", 8192, None, 1),
        ("other", 2048, "image-1", 1),
        ("vm", 2048, None, 2),
    ]
