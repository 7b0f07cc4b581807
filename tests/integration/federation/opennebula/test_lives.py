"""What happens to machines: the records that each version of oned writes about it, and what is true."""

from __future__ import annotations

import pytest

from tests.integration.federation.opennebula.conftest import HOUR, NOVEMBER, Start

# Of each version: suspended after an hour, resumed two hours later with 5 seconds of boot, terminated 4 hours later.
SUSPENDED = {
    "5.4": ["0 +0 +3605 +0 +10 +10 +3605 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
    "5.12": ["0 +0 +10805 +0 +10 +10 +10805 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
    "6.10": ["0 +0 +10800 +0 +10 +10 +3605 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
}


@pytest.mark.parametrize("profile", sorted(SUSPENDED))
def test_suspend_resume_terminate(start: Start, profile: str) -> None:
    client = start(profile)
    vm = client.oned.create_vm("alice", vcpu=2, prolog=10, boot=20)
    client.oned.act(vm, "suspend", at=NOVEMBER + HOUR, save=5)
    client.oned.act(vm, "resume", at=NOVEMBER + 3 * HOUR, boot=5)
    client.oned.act(vm, "terminate", at=NOVEMBER + 4 * HOUR)
    client.oned.advance(2 * HOUR)
    shown = client.call("vm.info", vm).xml
    assert (shown.findtext("STATE"), shown.findtext("LCM_STATE")) == ("5", "0")
    client.oned.advance(8 * HOUR)
    assert client.records(vm) == SUSPENDED[profile]
    life = client.oned.truth()[vm]
    assert life.seconds(0, 2 * NOVEMBER) == 3595 + 3600
    assert life.cpu_seconds(0, 2 * NOVEMBER) == 2 * (3595 + 3600)
    assert (life.created, life.ended) == (NOVEMBER, NOVEMBER + 4 * HOUR)
    assert life.blurred == (profile == "5.12")


def test_the_future_comes_when_the_clock_gets_there(start: Start) -> None:
    client = start("6.10")
    first, late = client.oned.create_vms([{"user": "alice"}, {"user": "alice", "created": NOVEMBER + HOUR, "boot": 60}])
    client.oned.act(late, "terminate", at=NOVEMBER + 2 * HOUR)
    client.oned.act(first, "live_migrate", at=NOVEMBER + HOUR, host=1, move=120)
    assert client.ids("vmpool.info", -2, -1, -1, -2) == [first]
    client.oned.advance(HOUR)
    assert client.ids("vmpool.info", -2, -1, -1, -2) == [late, first]
    shown = {row.findtext("ID"): row.findtext("LCM_STATE") for row in client.call("vmpool.info", -2, -1, -1, -2).xml}
    assert shown == {str(first): "4", str(late): "2"}
    client.oned.advance(120)
    assert client.call("vm.info", first).xml.findtext("LCM_STATE") == "3"
    client.oned.advance(2 * HOUR)
    assert client.call("vm.info", late).xml.findtext("ETIME") == str(NOVEMBER + 2 * HOUR)
    lives = client.oned.truth()
    assert lives[late].seconds(0, 2 * NOVEMBER) == HOUR
    assert [run.start for run in lives[first].runs] == [NOVEMBER]


def test_owners_and_sizes_change_over_time(start: Start) -> None:
    client = start("6.10")
    client.oned.create_group("ops")
    client.oned.create_user("bob", groups=["ops"])
    vm = client.oned.create_vm("alice", vcpu=None)
    assert client.call("vm.info", vm).xml.find("TEMPLATE/VCPU") is None
    client.oned.act(vm, "resize", at=NOVEMBER + 100, vcpu=4, cpu=2)
    client.oned.act(vm, "chown", at=NOVEMBER + 200, user="bob", group="ops")
    client.oned.advance(300)
    shown = client.call("vm.info", vm).xml
    assert (shown.findtext("UNAME"), shown.findtext("GNAME"), shown.findtext("TEMPLATE/VCPU")) == ("bob", "ops", "4")
    assert len(client.records(vm)) == 2
    life = client.oned.truth()[vm]
    assert life.cpu_seconds(NOVEMBER, NOVEMBER + 300) == 100 + 4 * 200
    assert [row.start - NOVEMBER for row in life.groups] == [0, 200]
    client.oned.delete_user("bob")
    assert client.call("vm.info", vm).xml.findtext("UNAME") == "bob"


def test_machines_are_acted_upon_over_the_wire(start: Start) -> None:
    client = start("6.10")
    vm = client.oned.create_vm("alice")
    assert client.call("vm.action", "suspend", vm, session="alice:secret").items == [True, vm, 0]
    assert client.call("vm.info", vm).xml.findtext("HISTORY_RECORDS/HISTORY/UID") == "2"
    assert client.call("vm.action", "suspend", vm).items[2] == 0x800
    for action, state in (
        ("resume", "3"),
        ("poweroff", "8"),
        ("undeploy", "9"),
        ("terminate", "6"),
        ("terminate", "6"),
    ):
        assert client.call("vm.action", action, vm).items[0] is True
        assert client.call("vm.info", vm).xml.findtext("STATE") == state


def test_users_are_made_and_changed_over_the_wire(start: Start) -> None:
    client = start("6.10")
    dn = "/DC=org/CN=Some\\20One"
    key = client.call("user.allocate", "someone", dn, "x509", [100, 1]).items[1]
    client.call("user.update", key, "<TEMPLATE><X509_DN><![CDATA[/DC=org/CN=Some One]]></X509_DN></TEMPLATE>", 1)
    client.call("user.update", key, "EMAIL=some@one", 1)
    client.call("user.enable", key, False)
    client.call("user.delgroup", key, 1)
    shown = client.call("user.info", key).xml
    assert (shown.findtext("PASSWORD"), shown.findtext("ENABLED"), shown.findtext("GID")) == (dn, "0", "100")
    assert [child.tag for child in shown.findall("TEMPLATE/*")] == ["EMAIL", "TOKEN_PASSWORD", "X509_DN"]
    client.call("user.update", key, "EMAIL=other", 0)
    kept = client.call("user.info", key).xml.findall("TEMPLATE/*")
    assert [child.tag for child in kept] == ["EMAIL", "TOKEN_PASSWORD"]
    assert client.call("user.delete", key).items[0] is True
    assert client.call("user.info", key).items[2] == 0x400
