"""What happens to servers: what nova then shows, and what is true."""

from __future__ import annotations

import pytest

from tests.federation.openstack import OpenStackSimulator
from tests.integration.federation.openstack.conftest import NOVEMBER, Client

HOUR = 3600
IMAGE = "db1a706e-3eb4-4d61-b2d2-465e3cf67fb4"


def create(site: OpenStackSimulator, **fields: object) -> str:
    return site.create_server("VO:ops", "someone", "small", image=IMAGE, **fields)


def test_a_month_with_stops_and_a_resize(site: OpenStackSimulator, client: Client) -> None:
    key = create(site, boot_seconds=20)
    site.act(key, "stop", at=NOVEMBER + HOUR)
    site.act(key, "start", at=NOVEMBER + 3 * HOUR)
    site.act(key, "resize", at=NOVEMBER + 5 * HOUR, flavor="large")
    site.act(key, "confirm_resize", at=NOVEMBER + 6 * HOUR)
    site.act(key, "delete", at=NOVEMBER + 9 * HOUR)
    site.advance(10)
    assert client.compute(f"/servers/{key}").body["server"]["status"] == "BUILD"
    site.advance(2 * HOUR)
    assert client.compute(f"/servers/{key}").body["server"]["status"] == "SHUTOFF"
    site.advance(3 * HOUR)
    row = client.compute(f"/servers/{key}").body["server"]
    assert (row["status"], row["flavor"]["vcpus"]) == ("VERIFY_RESIZE", 4)
    assert (row["created"], row["OS-SRV-USG:launched_at"]) == ("2026-11-01T00:00:00Z", "2026-11-01T05:00:00.000000")
    site.advance(24 * HOUR)
    assert client.compute(f"/servers/{key}").status == 404
    (row,) = client.compute("/servers/detail?all_tenants=1&deleted=true").body["servers"]
    assert row["OS-SRV-USG:terminated_at"] == "2026-11-01T09:00:00.000000"
    assert (row["status"], row["updated"], row["addresses"]) == ("DELETED", "2026-11-01T09:00:00Z", {})
    actions = client.compute(f"/servers/{key}/os-instance-actions").body["instanceActions"]
    assert [entry["action"] for entry in actions] == ["delete", "confirmResize", "resize", "start", "stop", "create"]
    life = site.truth([key])[key]
    assert (life.created, life.ended) == (NOVEMBER, NOVEMBER + 9 * HOUR)
    assert life.seconds(NOVEMBER, NOVEMBER + 30 * HOUR) == 9 * HOUR
    assert life.seconds(NOVEMBER, NOVEMBER + 30 * HOUR, {"stopped"}) == 2 * HOUR
    assert life.cpu_seconds(NOVEMBER, NOVEMBER + 30 * HOUR) == 5 * HOUR + 4 * 4 * HOUR


@pytest.mark.parametrize(
    ("acts", "status", "relaunched"),
    [
        (["stop", "start"], "ACTIVE", False),
        (["reboot"], "ACTIVE", False),
        (["pause"], "PAUSED", False),
        (["pause", "unpause"], "ACTIVE", False),
        (["suspend", "resume"], "ACTIVE", False),
        (["shelve"], "SHELVED", False),
        (["shelve", "shelve_offload"], "SHELVED_OFFLOADED", False),
        (["shelve", "shelve_offload", "unshelve"], "ACTIVE", True),
        (["rebuild"], "ACTIVE", True),
        (["rescue"], "RESCUE", True),
        (["evacuate"], "ACTIVE", True),
        (["error"], "ERROR", False),
        (["error", "reset_state"], "ACTIVE", False),
        (["soft_delete", "restore"], "ACTIVE", False),
    ],
)
def test_states_and_launched_at(
    site: OpenStackSimulator, client: Client, acts: list[str], status: str, relaunched: bool
) -> None:
    key = create(site)
    for act in acts:
        site.advance(60)
        site.act(key, act)
    row = client.compute(f"/servers/{key}").body["server"]
    assert row["status"] == status
    assert (row["OS-SRV-USG:launched_at"] != "2026-11-01T00:00:00.000000") == relaunched
    assert row["updated"] == f"2026-11-01T00:{len(acts):02d}:00Z"


def test_what_cannot_happen_is_refused(site: OpenStackSimulator) -> None:
    key = create(site)
    with pytest.raises(ValueError, match="cannot start a server that is active"):
        site.act(key, "start")
    with pytest.raises(ValueError, match="before the last change"):
        site.act(key, "stop", at=NOVEMBER - 1)
    site.act(key, "start", at=NOVEMBER + 5)
    with pytest.raises(ValueError, match="could not happen"):
        site.advance(5)


def test_reverted_resize_gives_the_old_flavor_back(site: OpenStackSimulator, client: Client) -> None:
    key = create(site)
    site.act(key, "stop", at=NOVEMBER)
    site.advance(100)
    site.act(key, "resize", flavor="large")
    site.advance(100)
    site.act(key, "revert_resize")
    row = client.compute(f"/servers/{key}").body["server"]
    assert (row["status"], row["flavor"]["original_name"]) == ("SHUTOFF", "small")
    assert site.truth([key])[key].cpu_seconds(NOVEMBER, NOVEMBER + 200) == 100 + 4 * 100


def test_never_launched_and_its_end(site: OpenStackSimulator, client: Client) -> None:
    key = create(site, state="error", boot_seconds=1)
    site.advance(10)
    row = client.compute(f"/servers/{key}").body["server"]
    assert (row["status"], row["OS-SRV-USG:launched_at"], row["hostId"]) == ("ERROR", None, "")
    site.act(key, "delete")
    (row,) = client.compute("/servers/detail?all_tenants=1&deleted=true").body["servers"]
    assert (row["OS-SRV-USG:terminated_at"], row["updated"]) == (None, "2026-11-01T00:00:10Z")


def test_soft_deleted_is_neither_live_nor_ended(site: OpenStackSimulator, client: Client) -> None:
    key = create(site)
    site.act(key, "soft_delete")
    assert client.compute("/servers?all_tenants=1").body["servers"] == []
    (row,) = client.compute("/servers/detail?all_tenants=1&deleted=true").body["servers"]
    assert (row["status"], row["OS-SRV-USG:terminated_at"]) == ("SOFT_DELETED", None)
    assert site.truth([key])[key].ended is None


def test_floating_ips_come_and_go_without_a_trace_in_updated(site: OpenStackSimulator, client: Client) -> None:
    key = create(site, floating_ips=["198.18.0.7"])
    site.advance(60)
    site.act(key, "attach_floating_ip", address="198.18.0.8")
    row = client.compute(f"/servers/{key}").body["server"]
    kinds = [port["OS-EXT-IPS:type"] for port in row["addresses"]["private"]]
    assert (kinds, row["updated"]) == (["fixed", "floating", "floating"], "2026-11-01T00:00:00Z")


def test_purged_rows_disappear_but_the_truth_remembers(site: OpenStackSimulator, client: Client) -> None:
    key, other = create(site), create(site)
    site.act(key, "delete")
    site.advance(60)
    assert site.purge(before=site.now()) == 1
    assert client.compute("/servers?all_tenants=1&changes-since=2026-10-01T00:00:00Z").body["servers"][0]["id"] == other
    assert client.compute(f"/servers/{key}/os-instance-actions").status == 404
    assert site.truth()[key].purged
    with pytest.raises(ValueError, match="not deleted"):
        site.purge([other])
    site.purge([other], force=True)
    assert client.compute("/servers?all_tenants=1").body == {"servers": []}


def test_a_flavor_that_is_replaced_stays_with_its_servers(site: OpenStackSimulator, client: Client) -> None:
    flavor = site.create_flavor("changing", 2, 512, 1)
    old = site.create_server("VO:ops", "someone", "changing")
    site.create_flavor("changing", 8, 512, 1, id=flavor)
    new = site.create_server("VO:ops", "someone", "changing")
    site.delete_flavor("changing")
    assert client.compute(f"/flavors/{flavor}").status == 404
    for key, vcpus in ((old, 2), (new, 8)):
        assert client.compute(f"/servers/{key}").body["server"]["flavor"]["vcpus"] == vcpus
        site.advance(10)
    truth = site.truth()
    assert [truth[key].cpu_seconds(NOVEMBER, NOVEMBER + 10) for key in (old, new)] == [20, 80]


def test_actions_by_version(site: OpenStackSimulator, client: Client) -> None:
    key = create(site)
    for _ in range(3):
        site.act(key, "reboot")
    first = client.compute(f"/servers/{key}/os-instance-actions?limit=2", "2.58").body
    assert len(first["instanceActions"]) == 2
    assert "updated_at" in first["instanceActions"][0]
    rest = client.call("GET", first["links"][0]["href"], {"X-Auth-Token": client.admin()}).body
    assert "updated_at" not in rest["instanceActions"][0]
    site.act(key, "delete")
    assert client.compute(f"/servers/{key}/os-instance-actions", "2.20").status == 404
    assert client.compute(f"/servers/{key}/os-instance-actions", "2.21").status == 200


def test_site_from_a_file(site: OpenStackSimulator, client: Client) -> None:
    created = site.load(
        {
            "flavors": [{"name": "tiny", "vcpus": 1, "ram": 64, "disk": 1}],
            "projects": [{"name": "VO:x", "VO": "x"}],
            "users": [{"name": "xavier", "roles": {"VO:x": ["member"]}}],
            "images": [{"name": "cirros", "os_distro": "cirros", "owner": "VO:x"}],
            "servers": [{"project": "VO:x", "user": "xavier", "flavor": "tiny", "count": 3, "spacing": 60}],
        }
    )
    assert len(created) == 3
    assert len(client.compute("/servers?all_tenants=1").body["servers"]) == 1
    site.advance(200)
    assert len(client.compute("/servers?all_tenants=1").body["servers"]) == 3
