"""What the plugin reads of a simulated oned of each release, against what really happened there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED, NoPast
from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_plugins.opennebula.settings import AuthSettings, VoSettings
from tests.federation.authority import Authority

NOW = 1_795_000_000
HOUR, DAY = 3600, 86400
PROFILES = ["3.2", "3.8", "4.14", "5.4", "5.8.0", "5.8.1", "5.12", "6.10", "7.4"]


@pytest.mark.parametrize("profile", PROFILES)
def test_whatever_lives_began_or_ended_between_two_listings_is_told(site: Any) -> None:
    steady, ending, moved = site.vms(20), site.vms(3), site.vms(3, "joe")
    gone = site.vm()
    site.oned.act(gone, "terminate", at=NOW - 2 * HOUR)
    cloud = site.cloud()
    first = site.run(cloud, full=True)
    assert first.machines.keys() == {*steady, *ending, *moved, gone}
    assert first.listing.as_of == NOW
    assert first.machines[gone].status == COMPLETED and first.machines[gone].end == NOW - 2 * HOUR
    assert (first.machines[moved[0]].vo, first.machines[steady[0]].vo) == ("bio.example.org", "ops")
    assert first.machines[steady[0]].global_user == "/DC=org/DC=example/CN=Jane Doe"
    assert first.machines[steady[0]].start == NOW - DAY

    site.oned.set_clock(NOW + HOUR)
    new = site.vms(2, created=NOW + 100)
    short = site.vm(created=NOW + 200)
    site.oned.act(short, "terminate", at=NOW + 900)
    for vm in ending:
        site.oned.act(vm, "terminate", at=NOW + 600)
    for vm in moved:
        site.oned.act(vm, "live_migrate", at=NOW + 700, host=1)
    second = site.run(cloud)
    assert second.listing.as_of == NOW + HOUR
    assert second.machines.keys() == {*steady, *ending, *moved, *new, short}
    assert {second.machines[vm].end for vm in ending} == {NOW + 600}
    assert second.machines[short].end == NOW + 900
    assert {second.machines[vm].status for vm in [*steady, *moved, *new]} == {STARTED}
    assert second.unreadable == {} and second.listing.groups == {str(site.ops), str(site.bio)}
    for vm in moved:
        assert [begin for begin, _ in second.machines[vm].running or ()] == [NOW - DAY]
    assert site.run(cloud).machines.keys() == {*steady, *moved, *new}


@pytest.mark.parametrize("profile", ["5.4", "5.12", "6.10"])
def test_a_stop_between_two_listings_is_read_from_the_history(site: Any) -> None:
    vm = site.vm()
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.set_clock(NOW + HOUR)
    site.oned.act(vm, "poweroff", at=NOW + 600)
    assert site.run(cloud).machines[vm].status == SUSPENDED
    site.oned.set_clock(NOW + 2 * HOUR)
    site.oned.act(vm, "resume", at=NOW + HOUR + 600)
    told = site.run(cloud)
    assert told.machines[vm].status == STARTED
    assert told.calls.get("one.vm.info") == 1
    assert "one.vm.info" not in site.run(cloud).calls


def test_machines_that_ended_are_read_once_and_those_that_ended_before_not_at_all(site: Any) -> None:
    old, recent, live = site.vm(), site.vm(), site.vm()
    site.oned.act(old, "terminate", at=NOW - 5 * HOUR)
    site.oned.act(recent, "terminate", at=NOW - HOUR)
    cloud = site.cloud()
    assert site.run(cloud, full=True, since=NOW - 2 * HOUR).machines.keys() == {recent, live}
    site.past.words = None
    assert site.run(cloud, full=True, since=NOW - 2 * HOUR).machines.keys() == {live}


def test_only_groups_that_serve_a_vo_are_accounted_and_others_told_once(site: Any) -> None:
    ops, bio, own = site.vms(3), site.vms(2, "joe"), site.vms(2, "oneadmin")
    vos = {"vo.bio": VoSettings(group="bio.example.org")}
    seen = site.run(site.cloud(vos=vos), full=True)
    assert seen.machines.keys() == set(bio)
    assert {machine.vo for machine in seen.machines.values()} == {"vo.bio"}
    assert sorted(problem.subject for problem in seen.problems if "VO" in problem.reason) == [
        "group oneadmin",
        "group ops",
    ]
    both = site.run(site.cloud(vos=vos, group_names_are_vos=True), full=True, past=NoPast())
    assert both.machines.keys() == {*ops, *bio}
    assert not both.machines.keys() & set(own)


def test_a_group_that_serves_no_vo_any_more_is_left_alone(site: Any) -> None:
    ops, bio = site.vms(2), site.vms(2, "joe")
    site.run(full=True)
    later = site.run(site.cloud(vos={"ops": VoSettings(group="ops")}), full=True)
    assert later.machines.keys() == set(ops)
    assert later.listing.groups == {str(site.ops)}
    uuid = next(uuid for uuid in site.past.machines if f"/compute/{bio[0]} " in uuid)
    with pytest.raises(ConfigurationError, match="serves no VO"):
        site.cloud(vos={"ops": VoSettings(group="ops")}).machine(uuid, site.past)


def test_one_machine_is_told_denied_or_another_one(site: Any) -> None:
    vm, gone = site.vms(2)
    site.run(full=True)
    uuids = {int(uuid.rpartition("/compute/")[2].split()[0]): uuid for uuid in site.past.machines}
    site.oned.act(gone, "terminate")
    site.oned.purge_done([gone])
    cloud = site.cloud()
    machine = cloud.machine(uuids[vm], site.past)
    assert machine is not None and (machine.uuid, machine.status) == (uuids[vm], STARTED)
    assert cloud.machine(uuids[gone], site.past) is None
    assert cloud.machine(uuids[vm].replace("2026-11", "2025-11"), site.past) is None
    with pytest.raises(ConfigurationError):
        cloud.machine("1b4e28ba-2fa1-11d2-883f-0016d3cca427", site.past)


def test_who_sees_only_a_part_is_refused_before_anything_is_read(site: Any) -> None:
    site.vms(5)
    cloud = site.cloud(username="accounting", password="pw")
    for act in (cloud.probe, lambda: site.run(cloud, full=True)):
        with pytest.raises(RefusedError) as error:
            act()
        assert f"#{site.accounting} VM" in str(error.value.hint)
    assert not [call for call in site.oned.calls() if call.startswith("one.vmpool")]


def test_an_account_with_a_rule_sees_everything_until_the_rule_is_gone(site: Any) -> None:
    vms = site.vms(5)
    rule = site.oned.create_rule(f"#{site.accounting} VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP/* USE *")
    cloud = site.cloud(username="accounting", password="pw")
    assert site.run(cloud, full=True).machines.keys() == set(vms)
    site.oned.delete_rule(rule)
    with pytest.raises(RefusedError):
        site.run(cloud)


def test_a_member_of_oneadmins_group_sees_everything(site: Any) -> None:
    vms = site.vms(3)
    site.oned.create_user("helper", password="pw", groups=["users", "oneadmin"])
    cloud = site.cloud(username="helper", password="pw")
    assert "oneadmin" in cloud.probe().view
    assert site.run(cloud, full=True).machines.keys() == set(vms)


def test_other_names_than_those_that_were_sent_stop_the_run(site: Any) -> None:
    site.vms(2)
    site.run(full=True)
    for changes in (
        {"uuid_endpoint": "https://old.example.org/RPC2"},
        {"uuid_style": "oneacct", "uuid_zone": "+01:00"},
    ):
        with pytest.raises(ConfigurationError, match="counted twice"):
            site.run(site.cloud(**changes))
    assert site.run(site.cloud(uuid_endpoint=site.oned.url)).unreadable == {}


@pytest.mark.parametrize("profile", ["5.4", "5.12", "6.10"])
def test_a_service_logs_in_for_an_account(site: Any) -> None:
    vms = site.vms(2)
    site.oned.create_user("agent", password="s3cret", driver="server_cipher")
    auth = AuthSettings(
        auth_type="server_cipher", username="agent", password_file=site.secret("s3cret"), target="oneadmin"
    )
    cloud = site.cloud(auth=auth)
    assert cloud.probe().identity.startswith("oneadmin (user 0)")
    assert site.run(cloud, full=True).machines.keys() == set(vms)
    site.oned.expire_sessions()
    assert site.run(cloud).machines.keys() == set(vms)


def test_a_wrong_password_is_refused_and_not_told(site: Any) -> None:
    with pytest.raises(RefusedError) as error:
        site.cloud(password="wr0ng-secret").probe()
    assert "wr0ng-secret" not in f"{error.value} {error.value.hint}"
    assert error.value.exit_code == 77


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
def test_a_certificate_logs_in(site: Any, tmp_path: Path) -> None:
    vms = site.vms(2)
    credential = Authority(tmp_path / "ca").host("Robot - Accounting")
    dn = credential.dn.replace(" ", "\\20")
    site.oned.create_user("robot", driver="x509", password=dn, groups=["oneadmin"])
    auth = AuthSettings(auth_type="x509", username="robot", certificate=credential.certificate, key=credential.key)
    cloud = site.cloud(auth=auth)
    assert cloud.probe().identity.startswith("robot ")
    assert site.run(cloud, full=True).machines.keys() == set(vms)
    site.oned.expire_sessions()
    assert site.run(cloud).machines.keys() == set(vms)


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
def test_traffic_is_summed_up_over_listings_and_migrations(site: Any) -> None:
    vm = site.vm(rates=[1000, 10])
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.set_clock(NOW + HOUR)
    site.run(cloud)
    site.oned.act(vm, "live_migrate", host=1)
    site.oned.set_clock(NOW + 2 * HOUR)
    machine = site.run(cloud).machines[vm]
    assert machine.network_in == pytest.approx(1000 * (DAY + 2 * HOUR), rel=0.01)
    assert machine.network_out == pytest.approx(10 * (DAY + 2 * HOUR), rel=0.01)


@pytest.mark.parametrize(("profile", "later"), [("5.12", "resume"), ("6.10", "migrate")])
@pytest.mark.parametrize("stop", ["poweroff", "poweroff_inside", "suspend", "suspend_inside"])
def test_a_stop_that_oned_dated_anew_is_told_as_an_upper_bound(site: Any, stop: str, later: str) -> None:
    vm = site.vm()
    cloud = site.cloud()
    site.run(cloud, full=True)
    site.oned.set_clock(NOW + 3 * HOUR)
    site.oned.act(vm, stop, at=NOW + HOUR)
    site.oned.act(vm, later, at=NOW + 2 * HOUR, host=1)
    seen = site.run(cloud)
    assert seen.machines[vm].running[0][1] in (None, NOW + 2 * HOUR)
    assert "stopped machines" in {problem.subject for problem in seen.problems}
