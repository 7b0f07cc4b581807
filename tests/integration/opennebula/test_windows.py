"""The walk through the ids: holes, sizes, calls, and machines that blind what they are listed with."""

from __future__ import annotations

from typing import Any, List

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED
from fedcloud_agent.errors import RefusedError
from fedcloud_agent.http import SlowError

NOW = 1_795_000_000
HOUR, DAY = 3600, 86400
EMOJI = "\U0001f600"

# ascending without row numbers, ascending with, descending
ORDERS = ["3.8", "5.4", "6.10"]


@pytest.mark.parametrize("profile", ORDERS)
@pytest.mark.parametrize("window", [1, 3, 500])
def test_every_machine_comes_whatever_the_window_and_the_holes(site: Any, window: int) -> None:
    expected = set(site.vms(7))
    for hole in (20, 3000, 60_000):
        site.oned.next_id(hole)
        expected |= set(site.vms(3))
    cloud = site.cloud(window=window)
    first = site.run(cloud, full=True)
    assert first.machines.keys() == expected
    assert first.count < 80
    site.oned.next_id(90_000)
    expected |= set(site.vms(2))
    second = site.run(cloud)
    assert second.machines.keys() == expected
    assert second.count < 60


@pytest.mark.parametrize("profile", ORDERS)
def test_an_empty_oned_is_read_to_its_end(site: Any) -> None:
    cloud = site.cloud()
    assert site.run(cloud, full=True).machines == {}
    vms = site.vms(2)
    assert site.run(cloud).machines.keys() == set(vms)


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
def test_calls_of_a_later_run_are_few(site: Any) -> None:
    site.oned.fleet(3000, NOW - 40 * DAY, records=1, live_every=2, spacing=10, owners=[["jane", "ops"]])
    site.vms(40)
    cloud = site.cloud()
    first = site.run(cloud, full=True)
    assert len(first.machines) >= 3000
    live = len(site.numbers()) - len(site.numbers(COMPLETED))
    assert live > 1500
    changed = sorted(site.numbers(STARTED))[-30:]
    site.oned.set_clock(NOW + HOUR)
    for vm in changed[:15]:
        site.oned.act(vm, "poweroff", at=NOW + 60)
        site.oned.act(vm, "resume", at=NOW + 600)
    for vm in changed[15:]:
        site.oned.act(vm, "terminate", at=NOW + 60)
    second = site.run(cloud)
    assert len(second.machines) == live
    assert second.count <= live / 500 + len(changed) + 20
    idle = site.run(cloud)
    assert idle.count <= live / 500 + 20
    assert "one.vm.info" not in idle.calls


def test_windows_shrink_while_answers_are_large_and_grow_again(site: Any) -> None:
    heavy = site.vms(60, user_template={"CONTEXT_OF_USER": "x" * 60_000})
    light = site.vms(600)
    # what oned cannot answer at all is asked for in smaller parts, and never in the same again
    site.oned.limits(largest=1_000_000)
    cloud = site.cloud()
    first = site.run(cloud, full=True)
    assert first.machines.keys() == {*heavy, *light}
    too_large = [call for call in site.oned.requests() if call["status"] == 500]
    assert 0 < len(too_large) < 40
    asked = [tuple(call["arguments"]) for call in too_large]
    assert len(set(asked)) == len(asked)
    second = site.run(cloud)
    assert second.machines.keys() == {*heavy, *light}


def test_an_answer_that_does_not_come_is_asked_for_in_halves(site: Any) -> None:
    vms = site.vms(20)
    site.oned.fault("silence", "vmpool.infoextended", seconds=3)
    assert site.run(site.cloud(timeout=1), full=True).machines.keys() == set(vms)


def test_an_oned_that_fell_silent_is_not_asked_for_ever(site: Any) -> None:
    site.vms(20)
    site.oned.fault("silence", "vmpool.infoextended", count=None, seconds=2)
    with pytest.raises(SlowError):
        site.run(site.cloud(timeout=0.3), full=True)
    assert site.oned.calls()["one.vmpool.infoextended"] == 4


@pytest.mark.parametrize("profile", ["5.12", "6.10", "7.4"])
def test_a_machine_with_an_emoji_is_told_as_far_as_it_can_be_and_the_others_in_full(site: Any) -> None:
    vms = site.vms(100)
    cloud = site.cloud()
    site.run(cloud, full=True)
    blind = vms[41]
    site.oned.act(blind, "change", user_template={"MOOD": EMOJI})
    site.oned.set_clock(NOW + HOUR)
    seen = site.run(cloud)
    assert seen.machines.keys() == set(vms)
    assert [p.subject for p in seen.problems if "U+FFFF" in p.reason] == [f"machine {blind}"]
    again = site.run(cloud)
    assert again.machines.keys() == set(vms)
    assert again.count < 15
    assert any(problem.subject == f"machine {blind}" for problem in again.problems)
    site.oned.act(blind, "terminate", at=NOW + HOUR + 60)
    site.oned.set_clock(NOW + 2 * HOUR)
    ended = site.run(cloud)
    assert ended.machines[blind].status == COMPLETED
    assert ended.machines[blind].end == NOW + HOUR + 60


def test_a_machine_cured_of_its_emoji_is_told_in_full_by_the_next_full_listing(site: Any) -> None:
    vms = site.vms(10)
    site.oned.act(vms[3], "change", user_template={"MOOD": EMOJI})
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.act(vms[3], "change", user_template={"MOOD": "good"})
    assert site.run(cloud, full=True).problems == []
    assert site.run(cloud).calls["one.vmpool.infoextended"] == 1


def test_an_emoji_in_a_name_leaves_a_known_machine_unreadable_and_takes_no_other_along(site: Any) -> None:
    vms = site.vms(30)
    cloud = site.cloud()
    site.run(cloud, full=True)
    for blind in (vms[7], vms[-1]):
        site.oned.act(blind, "change", name=f"vm {EMOJI}")
        for full in (False, True, False):
            seen = site.run(cloud, full=full)
            assert seen.machines.keys() == set(vms) - {blind}
            assert seen.unreadable.keys() == {blind}
        site.oned.act(blind, "change", name="cured")
    assert site.run(cloud, full=True).machines.keys() == set(vms)


def test_many_machines_that_cannot_be_told_are_all_found(site: Any) -> None:
    vms = site.vms(40)
    blind: List[int] = vms[::7]
    for vm in blind:
        site.oned.act(vm, "change", user_template={"MOOD": EMOJI})
    seen = site.run(full=True)
    assert set(vms) - set(blind) <= seen.machines.keys() | seen.unreadable.keys()
    assert {f"machine {vm}" for vm in blind} <= {problem.subject for problem in seen.problems}


def test_bytes_that_are_no_text_do_not_stop_a_listing(site: Any) -> None:
    vms = site.vms(10)
    site.oned.fault("bytes", "vmpool.infoextended", count=None)
    seen = site.run(full=True)
    assert seen.machines.keys() == set(vms)
    assert all("caf\ufffd" in machine.name for machine in seen.machines.values())


def test_a_state_from_the_future_is_unreadable_and_not_guessed(site: Any) -> None:
    vms = site.vms(4)
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.fault("state", "vmpool", count=None)
    seen = site.run(cloud)
    assert seen.unreadable.keys() == set(vms)
    assert seen.machines == {}


def test_a_rule_that_is_not_there_is_found_in_the_gaps(site: Any) -> None:
    site.vms(5)
    site.oned.fault("refused", "acl.info", count=None, code=0x200, text="Not authorized to perform MANAGE ACL")
    with pytest.raises(RefusedError, match="may not read the access rules") as told:
        site.run(site.cloud(username="accounting", password="pw"), full=True)
    assert "granted" in str(told.value.hint)
    with pytest.raises(RefusedError, match="may not see machine"):
        site.run(site.cloud(username="accounting", password="pw", rights="granted"), full=True)
    site.oned.create_rule(f"#{site.accounting} VM/* USE *")
    cloud = site.cloud(username="accounting", password="pw", rights="granted")
    assert len(site.run(cloud, full=True).machines) == 5
