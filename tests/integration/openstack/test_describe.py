"""What the plugin tells of a simulated site, as each kind of account is shown it."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.offer import (
    UNLIMITED,
    Accelerator,
    CloudOffer,
    Endpoint,
    Image,
    InstanceType,
    Machines,
    Manager,
    Quota,
    Share,
    Storage,
)
from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.settings import Secret
from fedcloud_plugins.openstack.settings import VoSettings

NOW = 1_795_000_000
GPU = {
    "Accelerator:Type": "GPU",
    "Accelerator:Number": "2",
    "Accelerator:Vendor": "NVIDIA",
    "Accelerator:Model": "A100",
}
VERSIONED = {"os_distro": "ubuntu", "os_version": "22.04", "architecture": "x86_64", "os_type": "linux"}


@pytest.fixture()
def rich(site: Any) -> Any:
    """A site with a bit of everything; ``full`` administers it from the project of ops, and reads the other."""
    simulator = site.simulator
    simulator.create_user("full", password="pw", roles={"vo-ops": ["admin"], "vo-bio": ["reader"]})
    simulator.change_project("vo-ops", description="For monitoring")
    simulator.set_quota("vo-ops", instances=10, cores=4, ram=51200)
    simulator.create_flavor("gpu", 16, 65536, 100, id="gpu", extra_specs=GPU)
    simulator.create_flavor("bio.big", 32, 131072, 10, id="bio", is_public=False, access=[site.bio])
    simulator.create_flavor("not.ours", 1, 512, 1, id="alien", is_public=False, access=[site.private])
    simulator.create_image(
        "ubuntu", id="ubuntu", vmcatcher_event_ad_mpuri="https://registry.example.org/u", **VERSIONED
    )
    simulator.create_image("ours", id="ours", visibility="private", owner="vo-bio", min_ram=1024)
    simulator.create_image("lent", id="lent", visibility="shared", owner="private", members={site.bio: "accepted"})
    simulator.create_image("asked", id="asked", visibility="shared", owner="private", members={site.bio: "pending"})
    simulator.create_image("secret", id="secret", visibility="private", owner="private")
    simulator.create_image("snap", id="snap", visibility="private", owner="vo-ops", image_type="snapshot")
    simulator.create_image("hidden", id="hidden", os_hidden=True)
    for name in ("node1", "node2"):
        simulator.create_hypervisor(name)
    site.server(host="node1")
    site.simulator.act(site.server(flavor="large", host="node2"), "stop", at=NOW - 60)
    site.server("vo-bio", host="node2")
    site.server("private", host="node1")
    return site


def described(site: Any, username: str, **changes: Any) -> CloudOffer:
    if username == "full":
        changes.setdefault("auth", {"project_name": "vo-ops"})
    offer: CloudOffer = site.cloud(username, **changes).describe()
    return offer


def shares(offer: CloudOffer) -> Dict[str, Share]:
    return {one.vo: one for one in offer.shares}


def subjects(offer: CloudOffer) -> List[str]:
    return [problem.subject for problem in offer.problems]


def test_the_whole_offer(rich: Any) -> None:
    offer = described(rich, "full")
    assert offer.endpoints == (
        Endpoint(
            rich.simulator.auth_url,
            "OpenStack",
            "v2.1",
            implementation="OpenStack Nova",
            implementation_version="2.93",
            implementor="OpenStack Foundation",
            authentication=("oidc",),
        ),
    )
    assert shares(offer) == {
        "ops": Share(
            *("ops", rich.ops, "vo-ops", "Default", "For monitoring"),
            max_machines=10,
            max_cpu=1,
            max_memory=2048,
            quotas=(Quota("instances", 10, 2), Quota("cores", 4, 9), Quota("ram", 51200, 18432)),
            machines=Machines(2, 1, 0, 0, 1),
        ),
        "bio.example.org": Share(
            *("bio.example.org", rich.bio, "vo-bio", "Default"),
            max_cpu=32,
            max_memory=131072,
            quotas=(Quota("instances", UNLIMITED, 1), Quota("cores", UNLIMITED, 1), Quota("ram", UNLIMITED, 2048)),
            machines=Machines(1, 1, 0, 0, 0),
        ),
    }
    # those of projects that serve no VO are no affair of the federation
    assert offer.machines == Machines(3, 2, 0, 0, 1)
    assert offer.managers == (
        Manager(
            *("qemu-x86_64", "OpenStack Nova", "2.93", "QEMU", "7.2.9", "x86_64"),
            hosts=2,
            physical_cpus=4,
            logical_cpus=128,
            slots_used=11,
            memory=524288,
            memory_used=2048 * 3 + 16384,
        ),
    )
    types = {one.id: one for one in offer.instance_types}
    assert {one.name for one in types.values()} == {"small", "large", "gpu", "bio.big"}
    assert types["gpu"] == InstanceType("gpu", "gpu", 16, 65536, 100, 0, accelerator="gpu")
    assert types["bio"].shares == (rich.bio,)
    assert offer.accelerators == (Accelerator("gpu", "GPU", 2, "NVIDIA", "A100"),)
    images = {one.id: one for one in offer.images}
    assert images.keys() == {"ubuntu", "ours", "lent", rich.image}
    assert images["ubuntu"] == Image(
        "ubuntu", "ubuntu", "https://registry.example.org/u", None, None, "linux", "ubuntu", "22.04", "x86_64"
    )
    assert (images["ours"].shares, images["ours"].min_memory) == ((rich.bio,), 1024)
    assert images["lent"].shares == (rich.bio,)
    assert offer.storage == ()
    # the administrator of ops is shown that 'lent' and 'asked' are shared, not with whom
    assert subjects(offer) == ["images"]


def test_a_reader_sees_the_same_but_for_the_hosts(rich: Any) -> None:
    offer, whole = described(rich, "reader"), described(rich, "full")
    assert offer.shares == whole.shares
    assert (offer.instance_types, offer.images, offer.machines) == (whole.instance_types, whole.images, whole.machines)
    assert offer.managers == (Manager("nova", "OpenStack Nova", "2.93"),)
    assert subjects(offer) == ["hypervisors"]


def test_who_administers_another_project_and_reads_ours_is_shown_everything(rich: Any) -> None:
    roles = {"private": ["admin"], "vo-ops": ["reader"], "vo-bio": ["reader"]}
    rich.simulator.create_user("best", password="pw", roles=roles)
    offer, whole = described(rich, "best", auth={"project_name": "private"}), described(rich, "full")
    assert (offer.shares, offer.managers, offer.images) == (whole.shares, whole.managers, whole.images)
    assert offer.problems == ()


def test_an_administrator_of_another_project_looks_from_outside(rich: Any) -> None:
    offer = described(rich, "admin-agent")
    whole = shares(described(rich, "full"))
    found = shares(offer)
    assert found["ops"] == whole["ops"]
    bio = found["bio.example.org"]
    assert (bio.quotas, bio.machines) == (whole["bio.example.org"].quotas, Machines(1, 1, 0, 0, 0))
    # what is the project's own alone cannot be seen, but for the images that it owns
    assert (bio.max_cpu, {one.id for one in offer.instance_types} & {"bio", "alien"}) == (16, set())
    assert {one.id: one.shares for one in offer.images} == {"ubuntu": None, rich.image: None, "ours": (rich.bio,)}
    assert subjects(offer) == ["project vo-bio", "images"]
    assert "role reader" in offer.problems[0].reason


@pytest.mark.parametrize("projects", [1, 2, 6])
def test_what_it_costs(site: Any, projects: int) -> None:
    simulator = site.simulator
    names = [f"vo-{number}" for number in range(projects)]
    for name in names:
        simulator.create_project(name, VO=f"{name}.example.org")
    simulator.create_user("some", password="pw", roles={name: ["reader"] for name in names})
    simulator.load({"flavors": [{"name": f"f{n}", "vcpus": 1, "ram": 512, "disk": 1} for n in range(300)]})
    simulator.load({"images": [{"name": f"i{n}"} for n in range(300)]})
    simulator.reset_calls()
    offer = described(site, "some", vos={})
    assert (len(offer.shares), len(offer.instance_types), len(offer.images)) == (projects, 302, 301)
    assert sum(simulator.calls().values()) <= 5 * projects + 7


@pytest.mark.parametrize("username", ["reader", "admin-agent"])
def test_lists_of_many_pages(site: Any, username: str) -> None:
    simulator = site.simulator
    simulator.load({"flavors": [{"name": f"f{n}", "vcpus": 1, "ram": 512, "disk": 1} for n in range(998)]})
    simulator.load({"images": [{"name": f"i{n}"} for n in range(2200)]})
    for number in range(5):
        site.server(created=NOW - 1000 - number)
    offer = described(site, username, page_size=2)
    # 1000 flavors are a full page, with a link to an empty one
    assert (len(offer.instance_types), len(offer.images)) == (1000, 2201)
    assert offer.machines == Machines(5, 5, 0, 0, 0)


@pytest.mark.parametrize(
    ("highest", "asked", "gpus", "problems"),
    [
        (93, "compute 2.69", 1, []),
        (68, "compute 2.66", 1, []),
        (63, "compute 2.61", 1, []),
        (60, "compute 2.47", 0, ["flavors"]),
        (30, "compute 2.1", 0, ["flavors"]),
    ],
)
def test_older_clouds(rich: Any, highest: int, asked: str, gpus: int, problems: List[str]) -> None:
    rich.simulator.highest_microversion(highest)
    offer = described(rich, "full")
    assert {r["version"] for r in rich.simulator.requests() if "/flavors/" in r["target"]} == {asked}
    assert len(offer.accelerators) == gpus
    assert offer.endpoints[0].implementation_version == f"2.{highest}"
    assert (offer.managers[0].hosts, offer.managers[0].logical_cpus) == (2, 128)
    assert [subject for subject in subjects(offer) if subject != "images"] == problems


def test_machines_need_not_be_counted_one_by_one(rich: Any) -> None:
    rich.simulator.reset_calls()
    offer = described(rich, "reader", count_machines=False)
    assert offer.machines == Machines(total=3)
    assert shares(offer)["ops"].machines == Machines(total=2)
    targets = [r["target"] for r in rich.simulator.requests()]
    assert not [target for target in targets if "servers/detail" in target and "all_tenants" not in target]


def test_an_object_store_without_the_account_in_its_address(rich: Any) -> None:
    simulator = rich.simulator
    simulator.set_service("object-store", "https://swift.example.org/v1/AUTH_%(project_id)s")
    offer = described(rich, "reader", authentication=("oidc", "voms"))
    door = Endpoint("https://swift.example.org/v1", "Swift", "v1", authentication=("oidc", "voms"))
    assert offer.storage == (Storage("object", (door,), (("https", "1.1"),)),)
    assert offer.endpoints[0].authentication == ("oidc", "voms")
    simulator.set_service("object-store", "https://ceph.example.org/swift/v1")
    assert described(rich, "reader").storage[0].endpoints[0].url == "https://ceph.example.org/swift/v1"


def test_people_are_told_the_public_address(rich: Any) -> None:
    simulator = rich.simulator
    for address, told in (
        ("https://keystone.example.org:5000/v2.0", "https://keystone.example.org:5000/v3"),
        ("https://keystone.example.org/identity", "https://keystone.example.org/identity/v3"),
        (None, simulator.auth_url),
    ):
        simulator.set_service("identity", address)
        assert described(rich, "reader").endpoints[0].url == told


def test_without_image_service(rich: Any) -> None:
    rich.simulator.set_service("image", None)
    offer = described(rich, "reader")
    assert offer.images == ()
    assert "images" in subjects(offer)


def test_a_disabled_project_offers_nothing(rich: Any) -> None:
    rich.simulator.change_project("vo-bio", enabled=False)
    # only who may read all projects is shown that it is there
    offer = described(rich, "full")
    assert shares(offer).keys() == {"ops"}
    assert [p.reason for p in offer.problems if p.subject == "project vo-bio"] == ["it is disabled, and offers nothing"]
    with pytest.raises(ConfigurationError, match="disabled"):
        rich.simulator.change_project("vo-ops", VO=None)
        described(rich, "full", vos={"bio.example.org": VoSettings(project="vo-bio")})


def test_a_project_that_cannot_be_entered_is_left_out_and_named(rich: Any) -> None:
    rich.simulator.create_user("auditor", password="pw", roles={"system": ["reader"], "vo-ops": ["reader"]})
    offer = described(rich, "auditor", auth={"system_scope": True})
    assert shares(offer).keys() == {"ops"}
    (problem,) = (p for p in offer.problems if p.subject == "project vo-bio")
    assert "refuses the login of auditor" in problem.reason
    with pytest.raises(RefusedError, match="refuses the login of auditor"):
        only = {"bio.example.org": VoSettings(project="vo-bio")}
        rich.simulator.change_project("vo-ops", VO=None)
        described(rich, "auditor", auth={"system_scope": True}, vos=only)


def test_an_application_credential_describes_its_own_project(rich: Any) -> None:
    made = rich.simulator.create_application_credential("reader", "vo-ops")
    secret = rich.directory / "credential"
    secret.write_text(made["secret"])
    secret.chmod(0o600)
    auth = {
        "auth_type": "application_credential",
        "application_credential_id": made["id"],
        "application_credential_secret_file": Secret(str(secret)),
    }
    offer = described(rich, "reader", auth=auth)
    assert shares(offer).keys() == {"ops"}
    assert "project vo-bio" in subjects(offer)


def test_no_project_at_all_is_a_matter_of_configuration(site: Any) -> None:
    site.simulator.change_project("vo-ops", VO=None)
    with pytest.raises(ConfigurationError, match="no project that serves a VO"):
        described(site, "reader", vos={})
