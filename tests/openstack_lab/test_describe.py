"""What a real cloud is said to offer, by each kind of account."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest

from tests.openstack_lab.world import APPLIANCE, JANE, World

PRIVATE = {"os-flavor-access:is_public": False}
GPU = {
    "Accelerator:Type": "GPU",
    "Accelerator:Number": "2",
    "Accelerator:Vendor": "NVIDIA",
    "Accelerator:Model": "A100",
}


class Furnished:
    """What the tests here add to the world, by what it is."""

    def __init__(self, world: World) -> None:
        admin = world.admin
        self.gpu = admin.make_flavor("gpu", vcpus=8, ram=16384, disk=100, extra_specs=GPU, **PRIVATE)
        access = {"addTenantAccess": {"tenant": world.bio}}
        admin.call("nova", "POST", f"/flavors/{self.gpu}/action", json=access)
        self.lent = admin.make_image("lent", visibility="shared", os_distro="debian")
        admin.call("glance", "POST", f"/images/{self.lent}/members", json={"member": world.bio})
        accepted = f"/images/{self.lent}/members/{world.bio}"
        world.lab.person(JANE, "egi-bio").call("glance", "PUT", accepted, json={"status": "accepted"})
        admin.call("nova", "PUT", f"/os-quota-sets/{world.ops}", json={"quota_set": {"cores": 24}})
        self.running, stopped = (world.jane.boot(f"vm-{n}", world.image, world.small, None) for n in "ab")
        world.jane.await_status({self.running: "ACTIVE", stopped: "ACTIVE"})
        world.jane.act(stopped, "os-stop")
        world.jane.await_status({stopped: "SHUTOFF"})


@pytest.fixture(scope="module")
def furnished(world: World) -> Furnished:
    return Furnished(world)


def offer(world: World, username: str, **settings: Any) -> Dict[str, Any]:
    done = world.site(username, **settings).command("infosys", "render", "--format", "offer")
    assert done.returncode == 0, done.stderr
    (cloud,) = json.loads(done.stdout)["clouds"]
    found: Dict[str, Any] = cloud["offer"]
    return found


def by(key: str, rows: List[Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    return {row[key]: row for row in rows}


@pytest.mark.parametrize(("username", "auth"), [("reader", {}), ("auditor", {"system_scope": True})])
def test_a_reader_sees_what_the_projects_see(world: World, furnished: Furnished, username: str, auth: Any) -> None:
    found = offer(world, username, auth=auth)
    shares = by("vo", found["shares"])
    assert shares.keys() == {"ops", "bio.example.org"}
    ops = by("name", shares["ops"]["quotas"])
    assert ops["cores"]["limit"] == 24
    machines = shares["ops"]["machines"]
    assert ops["instances"]["used"] == machines["total"]
    assert machines["running"] >= 1
    assert machines["halted"] >= 1
    types, images = by("id", found["instance_types"]), by("id", found["images"])
    assert (types[furnished.gpu]["shares"], types[furnished.gpu]["accelerator"]) == ([world.bio], furnished.gpu)
    assert by("id", found["accelerators"])[furnished.gpu]["model"] == "A100"
    assert (types[world.large]["cpu"], types[world.large]["ephemeral"]) == (4, 5)
    assert "shares" not in types[world.large]
    assert images[world.appliance]["marketplace_uri"] == APPLIANCE
    assert images[furnished.lent]["shares"] == [world.bio]
    assert shares["bio.example.org"]["max_cpu"] == 4000
    assert shares["ops"]["max_cpu"] == 4
    assert [problem["subject"] for problem in found["problems"]] == ["hypervisors"]


def test_an_administrator_sees_the_hosts_and_other_projects_from_outside(world: World, furnished: Furnished) -> None:
    found, inside = offer(world, "accountant"), offer(world, "reader")
    (manager,) = found["managers"]
    assert (manager["hypervisor"], manager["hosts"]) == ("fake", 1)
    assert manager["logical_cpus"] > manager["slots_used"] >= 1
    shares, known = by("vo", found["shares"]), by("vo", inside["shares"])
    assert shares["ops"] == known["ops"]
    assert shares["bio.example.org"]["quotas"] == known["bio.example.org"]["quotas"]
    assert shares["bio.example.org"]["machines"] == known["bio.example.org"]["machines"]
    assert furnished.gpu not in by("id", found["instance_types"])
    assert {problem["subject"] for problem in found["problems"]} == {"project egi-bio", "images"}


@pytest.mark.parametrize("username", ["reader", "accountant"])
def test_the_tree_breaks_no_rule(world: World, furnished: Furnished, username: str) -> None:
    site = world.site(username)
    done = site.command("infosys", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "GLUE2PolicyRule: VO:bio.example.org" in site.command("infosys", "render", "--format", "ldif").stdout
