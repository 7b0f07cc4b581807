"""What the ledger holds alive, and the guard against counting a machine under two names."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.clouds.contract import STARTED, VirtualMachine
from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.census import Ids, census, served
from fedcloud_plugins.opennebula.vmuuid import Naming

NAMING = Naming("http://one.example.org:2633/RPC2")
STIME = 1_795_000_000


def machine(uuid: str, group: str = "100") -> VirtualMachine:
    return VirtualMachine(
        *(uuid, "n", STARTED, "ACTIVE", "2", group, None, "ops", STIME, None, None, 1, 1, 1, None, None)
    )


@given(st.sets(st.integers(0, 2**31 - 1)), st.integers(0, 2**31 - 1))
def test_ids_are_a_set(numbers: set, other: int) -> None:  # type: ignore[type-arg]
    ids = Ids()
    for number in numbers:
        ids.add(number)
    assert all(number in ids for number in numbers)
    assert (other in ids) is (other in numbers)


def test_the_living_are_counted_with_their_groups() -> None:
    found = census([machine(NAMING.uuid(7, STIME)), machine(NAMING.uuid(9, STIME), "101")], NAMING)
    assert (found.alive, found.groups) == (2, {"100", "101"})
    assert 7 in found.ids and 9 in found.ids and 8 not in found.ids
    assert census([], NAMING).groups == frozenset()


@pytest.mark.parametrize(
    "naming",
    [
        Naming("https://other.example.org:2633/RPC2"),
        Naming("http://one.example.org:2633/RPC2", timezone(timedelta(hours=1))),
    ],
)
def test_a_machine_with_another_name_than_it_would_be_given_stops_the_run(naming: Naming) -> None:
    with pytest.raises(ConfigurationError) as error:
        census([machine(naming.uuid(7, STIME))], NAMING)
    assert naming.uuid(7, STIME) in error.value.message
    assert NAMING.uuid(7, STIME) in error.value.message
    assert "uuid_endpoint" in str(error.value.hint)
    assert error.value.exit_code == 78


def test_a_ledger_of_another_kind_of_cloud_stops_the_run() -> None:
    with pytest.raises(ConfigurationError, match="not of an OpenNebula"):
        census([machine("1b4e28ba-2fa1-11d2-883f-0016d3cca427")], NAMING)


def test_groups_that_serve_no_vo_are_left_alone() -> None:
    vos = {"100": "ops"}
    groups = frozenset({"100", "101", "102"})
    assert served(groups, {"100": "a", "101": "b"}, lambda group, name: vos.get(group)) == {"100", "102"}
