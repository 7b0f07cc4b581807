"""What goes wrong between two listings and in the middle of one: nothing is lost, nothing invented."""

from __future__ import annotations

from typing import Any

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED
from fedcloud_agent.errors import RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http import Bounds

NOW = 1_795_000_000
HOUR, DAY = 3600, 86400


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
@pytest.mark.parametrize("mark", [True, False])
def test_a_purged_machine_is_left_out_of_a_full_listing_and_unreadable_in_any_other(site: Any, mark: bool) -> None:
    vms = site.vms(6)
    cloud = site.cloud()
    site.run(cloud, full=True)
    for vm in vms[2:4]:
        site.oned.act(vm, "terminate")
    site.oned.purge_done(vms[2:4])
    site.oned.set_clock(NOW + HOUR)
    for full, unreadable in ((False, {*vms[2:4]}), (True, set())):
        site.past.words = site.past.words if mark else None
        seen = site.run(cloud, full=full)
        assert seen.machines.keys() == {*vms} - {*vms[2:4]}
        assert seen.unreadable.keys() == unreadable
        assert seen.listing.groups == {str(site.ops)}


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
@pytest.mark.parametrize("after", [0, HOUR])
def test_an_oned_that_was_installed_anew_counts_from_zero_with_other_names(site: Any, after: int) -> None:
    site.vms(20)
    cloud = site.cloud()
    site.run(cloud, full=True)
    old = set(site.past.machines)
    site.oned.reinstall()
    site.oned.set_clock(NOW + 2 * HOUR)
    new = site.vms(3, created=NOW + after + 60)
    over = site.vm(created=NOW + after + 70)
    site.oned.act(over, "terminate", at=NOW + after + 600)
    seen = site.run(cloud)
    told = {machine.uuid for page in seen.pages for machine in page.machines}
    assert new == [0, 1, 2]
    assert not told & old
    assert seen.machines.keys() == {*new, over}
    assert seen.machines[over].status == COMPLETED
    assert {entry.uuid for page in seen.pages for entry in page.unreadable} == old
    full = site.run(cloud, full=True)
    assert full.unreadable == {}
    assert full.machines.keys() == set(new)


def test_a_machine_that_ends_while_it_is_listed_is_not_lost(site: Any) -> None:
    vms = site.vms(10)
    cloud = site.cloud(window=5)
    site.run(cloud, full=True)
    (listing,) = cloud.usage(lambda scope: _window(), site.past)
    pages = [next(listing.pages)]
    site.oned.act(vms[9], "terminate")
    site.oned.act(vms[0], "terminate")
    pages.extend(listing.pages)
    told = [machine for page in pages for machine in page.machines]
    assert len(told) == 10
    for page in pages:
        site.past.take(page)
    site.oned.set_clock(NOW + HOUR)
    seen = site.run(cloud)
    assert len(site.numbers(COMPLETED)) == 2
    assert len(site.numbers(STARTED)) == 8
    assert seen.unreadable == {}


def _window() -> Any:
    from fedcloud_agent.clouds.contract import Window

    return Window(False, NOW)


@pytest.mark.parametrize("kind", ["no_leader", "drop", "html", "truncated", "empty_body"])
def test_what_passes_costs_a_call_and_nothing_else(site: Any, kind: str) -> None:
    vms = site.vms(10)
    site.oned.fault(kind, "vmpool.infoextended")
    if kind == "empty_body":
        # an answer of nothing is no answer, and is not asked for again
        with pytest.raises(RemoteDataError):
            site.run(full=True)
        assert site.past.words is None
    seen = site.run(full=True)
    assert seen.machines.keys() == set(vms)
    assert seen.problems == []


@pytest.mark.parametrize(
    ("kind", "details", "error"),
    [
        ("no_leader", {}, UnreachableError),
        ("drop", {"reset": True}, RemoteDataError),
        ("html", {}, UnreachableError),
        ("truncated", {"honest": True}, RemoteDataError),
        ("truncated", {}, RemoteDataError),
        ("empty_body", {}, RemoteDataError),
        ("no_array", {}, RemoteDataError),
        ("no_document", {}, RemoteDataError),
        ("laughs", {}, RemoteDataError),
        ("laughs", {"inside": False}, RemoteDataError),
        ("fault", {"code": -506}, RemoteDataError),
        ("unauthenticated", {}, RefusedError),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_what_lasts_ends_the_listing_and_leaves_its_mark_alone(
    site: Any, kind: str, details: Any, error: type, later: bool
) -> None:
    site.vms(10)
    cloud = site.cloud()
    if later:
        site.run(cloud, full=True)
    words = site.past.words
    site.oned.fault(kind, "vmpool.infoextended", count=None, **details)
    with pytest.raises((error, UnreachableError)) as told:
        site.run(cloud, full=True)
    assert told.value.exit_code in (65, 69, 77)
    assert site.past.words == words
    assert "opennebula:" not in str(told.value) and "oneadmin:" not in str(told.value)
    site.oned.clear_faults()
    assert len(site.run(cloud, full=True).machines) == 10


def test_an_oned_that_is_not_there_is_unreachable(site: Any) -> None:
    site.oned.stop()
    cloud = site.cloud()
    cloud._connection.wire._bounds = Bounds(backoff=0.01)
    with pytest.raises(UnreachableError, match="127.0.0.1"):
        cloud.probe()


def test_pools_that_may_not_be_read_are_told_and_done_without(site: Any) -> None:
    vms = site.vms(3)
    for pool in ("userpool", "imagepool", "hostpool", "clusterpool"):
        site.oned.fault("refused", f"one.{pool}.info", count=None, code=0x200, text="Not authorized")
    seen = site.run(full=True)
    assert seen.machines.keys() == set(vms)
    assert {machine.global_user for machine in seen.machines.values()} == {None}
    assert {"the users of oned", "the hosts of oned"} <= {problem.subject for problem in seen.problems}


def test_a_pool_that_shrank_is_told_as_it_is_and_no_machine_is_invented(site: Any) -> None:
    vms = site.vms(20)
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.fault("shrink", "vmpool", count=None, keep=0.5)
    seen = site.run(cloud)
    assert len(seen.machines) + len(seen.unreadable) == 20
    assert seen.machines.keys() | seen.unreadable.keys() == set(vms)


def test_the_clock_is_oneds_before_the_first_page_of_each_listing(site: Any) -> None:
    site.vms(2)
    cloud = site.cloud()
    for moment in (NOW, NOW + HOUR, NOW + 2 * HOUR):
        site.oned.set_clock(moment)
        assert site.run(cloud).listing.as_of == moment


@pytest.mark.parametrize("kind", ["fault", "laughs"])
def test_an_oned_that_cannot_tell_anything_is_not_asked_for_each_machine(site: Any, kind: str) -> None:
    site.vms(50)
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.fault(kind, r"one\.vmpool", count=None)
    with pytest.raises(RemoteDataError):
        site.run(cloud, full=True)
    assert sum(site.oned.calls().values()) < 15
