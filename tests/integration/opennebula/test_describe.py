"""What the plugin tells of an oned of each dialect, and what it does when it cannot see or read all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.offer import UNLIMITED, CloudOffer, Endpoint, Image, InstanceType, Machines, Manager
from fedcloud_agent.errors import (
    AgentError,
    ConfigurationError,
    RefusedError,
    RemoteDataError,
    UnreachableError,
)
from fedcloud_plugins.opennebula.description.settings import InstanceTypeSettings, OfferSettings, PublicSettings
from fedcloud_plugins.opennebula.settings import VoSettings
from tests.federation.opennebula import PROFILES
from tests.integration.opennebula.conftest import NOW, Site, profile, site
from tests.integration.opennebula.offers import DISK, REGISTRY, RULE, populate

__all__ = ["profile", "site"]

PUBLIC = PublicSettings("https://occi.example.org:11443", "OCCI", "1.2", authentication=("voms",))
HIDDEN = ("machines", "hosts", "groups", "templates", "images")


def described(site: Site, **settings: Any) -> CloudOffer:
    settings.setdefault("offer", OfferSettings(public=PublicSettings(site.oned.url, "OpenNebula")))
    return site.cloud(**settings).describe()


def subjects(offer: CloudOffer) -> List[str]:
    return [problem.subject for problem in offer.problems]


def quotas(offer: CloudOffer, vo: str) -> Dict[str, Any]:
    (share,) = (share for share in offer.shares if share.vo == vo)
    return {one.name: (one.limit, one.used) for one in share.quotas}


@pytest.mark.parametrize("profile", ["3.2", "3.8", "4.14", "5.4", "5.8.0", "5.12", "6.10", "7.4"])
def test_a_whole_offer_of_each_dialect(site: Site) -> None:
    populate(site)
    site.oned.reset_calls()
    offer = described(site)
    text = {"3.2": "3.2.0", "5.12": "5.12.0"}.get(site.oned.profile)
    version = offer.endpoints[0].version or ""
    assert version == (text or PROFILES[site.oned.profile].text)
    assert offer.problems == ()
    assert offer.endpoints == (
        Endpoint(site.oned.url, "OpenNebula", version, implementation="OpenNebula", implementation_version=version),
    )
    ops, bio = offer.shares
    assert (ops.vo, ops.project, ops.project_name) == ("ops", str(site.ops), "ops")
    assert ops.machines == Machines(2, 2, 0, 0, 0)
    assert bio.machines == Machines(2, 0, 1, 1, 0)
    assert offer.machines == Machines(4, 2, 1, 1, 0)

    lxd = next(one for one in offer.managers if one.key == "lxd")
    assert offer.managers[0] == Manager(
        key="kvm",
        product="OpenNebula",
        product_version=version,
        hypervisor="kvm",
        architecture="x86_64",
        hosts=2,
        logical_cpus=64,
        slots=64,
        slots_used=offer.managers[0].slots_used,
        memory=262144,
        memory_used=3072,
    )
    split = site.oned.profile not in ("3.2", "3.8", "4.14")
    assert (lxd.hosts, lxd.logical_cpus, lxd.slots) == (1, 8 if split else 6, 6)

    both = (str(site.ops), str(site.bio))
    assert offer.images == (
        Image("0", "AlmaLinux 9", f"{REGISTRY}/1:1/", disk=10, shares=both),
        Image(
            "1",
            "for bio",
            f"{REGISTRY}/2:7/",
            "7",
            os_family="linux",
            os_name="Ubuntu",
            os_version="24.04",
            disk=10,
            shares=(str(site.bio),),
        ),
    )
    assert offer.instance_types == (
        InstanceType("2-cores-2048-MB", "2 cores, 2048 MB", 2, 2048, shares=both),
        InstanceType("8-cores-65536-MB", "8 cores, 65536 MB", 8, 65536, shares=(str(site.bio),)),
    )
    calls = site.oned.calls()
    machines = calls.pop("one.vmpool.info")
    assert machines <= 6 and sum(calls.values()) <= 9, calls
    assert max(calls.values()) == 1


@pytest.mark.parametrize("profile", ["3.2", "3.8", "4.14", "5.4", "6.10"])
def test_quotas_of_each_dialect(site: Site) -> None:
    populate(site)
    offer = described(site)
    if site.oned.profile == "3.2":
        assert [share.quotas for share in offer.shares] == [(), ()]
        return
    bio, ops = quotas(offer, "bio.example.org"), quotas(offer, "ops")
    default = site.oned.profile != "3.8"
    assert bio["instances"] == (50, 2) and bio["ram"] == (204800, 2048)
    assert ops["instances"] == (7 if default else UNLIMITED, 2)
    assert bio["cpu"] == (100 if default else UNLIMITED, 2)
    assert ops["ram"] == (UNLIMITED, 2048)
    assert ("disk" in ops) is (site.oned.profile in ("5.4", "6.10"))
    assert ("running_instances" in ops) is (site.oned.profile == "6.10")
    if site.oned.profile == "6.10":
        assert (bio["running_instances"], bio["disk"]) == ((UNLIMITED, 1), (UNLIMITED, 20))
    assert {share.vo: share.max_machines for share in offer.shares} == {
        "bio.example.org": 50,
        "ops": 7 if default else None,
    }


def test_an_account_that_sees_by_a_rule_tells_the_same(site: Site) -> None:
    populate(site)
    wanted = described(site)
    site.oned.create_rule(f"#{site.accounting} {RULE}/* USE *")
    offer = described(site, username="accounting", password="pw")
    assert offer.problems == ()
    assert (offer.shares, offer.managers, offer.images) == (wanted.shares, wanted.managers, wanted.images)
    assert (offer.machines, offer.instance_types) == (wanted.machines, wanted.instance_types)


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ("HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP", "machines"),
        ("VM+CLUSTER+IMAGE+TEMPLATE+USER+GROUP", "hosts"),
        ("VM+HOST+CLUSTER+TEMPLATE+USER+GROUP", "images"),
        ("VM+HOST+CLUSTER+IMAGE+USER+GROUP", "templates"),
    ],
)
def test_what_an_account_may_not_see_is_told_and_is_no_zero(site: Site, rights: str, missing: str) -> None:
    populate(site)
    site.oned.create_rule(f"#{site.accounting} {rights}/* USE *")
    offer = described(site, username="accounting", password="pw")
    assert subjects(offer) == [missing]
    assert offer.problems[0].reason.endswith(f'oneacl create "#{site.accounting} {RULE}/* USE *"')
    assert len(offer.shares) == 2
    if missing == "machines":
        assert offer.machines is None and {share.machines for share in offer.shares} == {None}
    assert (offer.managers == ()) is (missing == "hosts")
    # those that everybody may use are seen all the same
    assert [one.id for one in offer.images] == (["0"] if missing == "templates" else ["0", "1"])


def test_an_account_that_sees_no_group_of_a_vo_is_refused(site: Site) -> None:
    populate(site)
    with pytest.raises(RefusedError, match="no group that serves a VO is visible to account accounting") as error:
        described(site, username="accounting", password="pw")
    assert RULE in (error.value.hint or "")
    site.oned.change_user("accounting", groups=["ops"])
    offer = described(site, username="accounting", password="pw")
    assert [share.vo for share in offer.shares] == ["ops"]
    assert sorted(subjects(offer)) == sorted(HIDDEN)


def test_groups_that_are_named_and_not_there(site: Site) -> None:
    populate(site)
    vos = {"ops": VoSettings(group="ops"), "bio": VoSettings(groups=("bio.example.org", "b10"))}
    offer = described(site, vos=vos)
    assert [(share.vo, share.project_name) for share in offer.shares] == [("ops", "ops"), ("bio", "bio.example.org")]
    assert subjects(offer) == ["group b10"]
    with pytest.raises(ConfigurationError, match="no group that serves a VO .*; group x: it is to serve y"):
        described(site, vos={"y": VoSettings(group="x")})


def test_rules_that_may_not_be_read(site: Site) -> None:
    populate(site)
    site.oned.create_rule(f"#{site.accounting} {RULE}/* USE *")
    site.oned.fault("refused", r"one\.acl\.info", count=None, code=0x200)
    who = {"username": "accounting", "password": "pw"}
    with pytest.raises(RefusedError, match="may not read the access rules"):
        described(site, **who)
    offer = described(site, rights="granted", **who)
    assert offer.problems == () and len(offer.images) == 2
    site.oned.change("template", 1, permissions="600")
    offer = described(site, rights="granted", **who)
    assert subjects(offer) == ["templates"]
    assert offer.problems[0].reason.endswith(": 1; rules that might let one cannot be read")


def test_templates_that_a_rule_gives_to_a_group(site: Site) -> None:
    populate(site)
    site.oned.change("template", 1, permissions="600")
    site.oned.change("image", 1, permissions="644")
    assert subjects(described(site)) == ["templates"]
    rule = site.oned.create_rule(f"@{site.ops} TEMPLATE/#1 USE *")
    assert [one.shares for one in described(site).images][1] == (str(site.ops),)
    site.oned.delete_rule(rule)
    site.oned.create_rule(f"* TEMPLATE/@{site.bio} USE *")
    assert [one.shares for one in described(site).images][1] == (str(site.ops), str(site.bio))


def test_hosts_that_are_refused_or_are_not_there(site: Site) -> None:
    populate(site)
    site.oned.fault("refused", r"one\.hostpool\.info", code=0x200)
    offer = described(site)
    assert (offer.managers, subjects(offer)) == ((), ["hosts"])
    for number in range(4):
        site.oned.change("host", number, state=4)
    offer = described(site)
    assert [(one.key, one.hosts, one.logical_cpus) for one in offer.managers] == [("kvm", 0, 0), ("lxd", 0, 0)]
    assert offer.problems == ()


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("truncated", {}, RemoteDataError),
        ("truncated", {"honest": True}, RemoteDataError),
        ("html", {}, UnreachableError),
        ("no_document", {}, RemoteDataError),
        ("no_leader", {}, UnreachableError),
        ("unauthenticated", {}, RefusedError),
        ("laughs", {}, RemoteDataError),
        ("drop", {}, UnreachableError),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(site: Site, kind: str, details: Any, expected: Any) -> None:
    populate(site)
    for method in ("grouppool", "hostpool", "templatepool", "imagepool", "vmpool", "acl"):
        site.oned.fault(kind, rf"one\.{method}\.info", count=None, **details)
        with pytest.raises(AgentError) as error:
            described(site)
        assert isinstance(error.value, expected), (method, error.value)
        assert site.oned.url in error.value.message
        site.oned.clear_faults()
    assert described(site).problems == ()


def test_an_answer_that_broke_off_once_is_read_again(site: Site) -> None:
    populate(site)
    site.oned.fault("truncated", r"one\.(template|image|group|host)pool\.info")
    offer = described(site)
    assert offer.problems == () and len(offer.images) == 2


@pytest.mark.parametrize("kind", ["template", "image"])
def test_a_character_that_blinds_a_list_costs_one_of_it(site: Site, kind: str) -> None:
    populate(site)
    site.oned.create(kind, "odd", id=300, template={"DESCRIPTION": "\U0001f600"})
    for number in range(400, 410):
        site.oned.create(kind, f"more {number}", id=number, template=DISK if kind == "template" else {})
    offer = described(site)
    assert subjects(offer) == [f"{kind} 300"]
    assert "-500" in offer.problems[0].reason
    assert len(offer.images) == (12 if kind == "template" else 2)
    assert site.oned.calls()[f"one.{kind}pool.info"] < 30


def test_lists_too_large_for_one_answer_are_read_in_pieces(site: Site) -> None:
    populate(site)
    text = "x" * 3000
    for number in range(10, 60):
        site.oned.create("template", f"t{number}", id=number, template={"DESCRIPTION": text, **DISK})
    site.oned.limits(largest=100_000)
    offer = described(site)
    assert offer.problems == () and len(offer.images) == 52


def test_an_oned_that_cannot_tell_anything_is_not_asked_for_each_id(site: Site) -> None:
    populate(site)
    site.oned.fault("fault", r"one\.templatepool\.info", count=None)
    with pytest.raises(RemoteDataError, match="cannot even tell a range of templates that is empty"):
        described(site)
    assert site.oned.calls()["one.templatepool.info"] == 2


def test_characters_that_no_xml_has_survive(site: Site) -> None:
    populate(site)
    site.oned.fault("bytes", r"one\.(template|group)pool\.info", count=None, find="&lt;NAME&gt;", raw="caf\xe9 \x08")
    offer = described(site, vos={"ops": VoSettings(group=str(site.ops))})
    assert offer.shares[0].project_name == "caf\ufffd ops"
    assert offer.images[0].name == "caf\ufffd AlmaLinux 9"


def test_an_element_that_makes_no_sense_is_named(site: Site) -> None:
    populate(site)
    site.oned.fault("bytes", r"one\.hostpool\.info", find="&lt;MAX_CPU&gt;", raw="-x")
    offer = described(site)
    assert set(subjects(offer)) == {"a HOST of oned"}
    site.oned.fault("bytes", r"one\.templatepool\.info", find="&lt;UID&gt;", raw="x")
    offer = described(site)
    assert set(subjects(offer)) == {"instance types", "a VMTEMPLATE of oned"} and offer.images == ()


def test_a_machine_that_blinds_its_list_and_a_state_from_the_future(site: Site) -> None:
    populate(site)
    site.vm(name="\U0001f600")
    offer = described(site)
    assert offer.machines == Machines(4, 2, 1, 1, 0)
    assert subjects(offer) == ["machine 5"]
    site.oned.tell("purge", {"vms": [5]})
    site.oned.fault("state", r"one\.vmpool\.info", count=None)
    assert described(site).machines == Machines(4, 0, 1, 1, 0)


def test_machines_are_counted_by_ranges_of_ids_with_holes(site: Site) -> None:
    site.vms(700)
    done = site.vms(700)
    site.oned.acts([{"vm": vm, "action": "terminate", "at": NOW - 60} for vm in done])
    site.oned.next_id(60_000)
    site.vms(20, "joe")
    site.oned.create("template", "t", template={"MEMORY": "512", **DISK})
    site.oned.create("image", "i", id=0)
    site.oned.reset_calls()
    offer = described(site)
    assert offer.machines == Machines(720, 720, 0, 0, 0)
    assert {share.vo: share.machines for share in offer.shares} == {
        "ops": Machines(700, 700, 0, 0, 0),
        "bio.example.org": Machines(20, 20, 0, 0, 0),
    }
    assert site.oned.calls()["one.vmpool.info"] < 25


def test_resource_templates_of_an_occi_server(site: Site, tmp_path: Path) -> None:
    populate(site)
    body = {"identifier": "mem_medium", "title": "Medium", "occi.compute.cores": 2, "occi.compute.memory": 8.0}
    site.oned.create("document", "mem_medium", type=999, permissions="600", template={"BODY": json.dumps(body)})
    site.oned.create("document", "of another kind", type=100, template={"BODY": "x"})
    site.oned.create("document", "odd", type=999, template={"BODY": "{"})
    form = "https://occi.example.org/resource#{id}"
    occi = OfferSettings(PUBLIC, instance_type_ids=form, image_ids="https://occi.example.org/os#uuid_{term}_{id}")
    offer = described(site, offer=occi)
    assert offer.instance_types == (InstanceType("https://occi.example.org/resource#mem_medium", "Medium", 2, 8192),)
    assert subjects(offer) == ["a DOCUMENT of oned"]
    assert offer.images[0].id == "https://occi.example.org/os#uuid_almalinux_9_0"
    assert (offer.endpoints[0].interface, offer.endpoints[0].version) == ("OCCI", "1.2")

    # it takes a right of its own, and without it the sizes of templates do
    site.oned.create_rule(f"#{site.accounting} {RULE}/* USE *")
    offer = described(site, offer=occi, username="accounting", password="pw")
    assert subjects(offer) == ["documents"]
    assert offer.problems[0].reason.endswith(f'"#{site.accounting} {RULE}+DOCUMENT/* USE *"')
    assert len(offer.instance_types) == 2

    (tmp_path / "small.json").write_text(
        '{"mixins": [{"scheme": "http://x#", "term": "s", "attributes":'
        ' {"occi": {"compute": {"cores": {"Default": 1}, "memory": {"Default": 2}}}}}]}'
    )
    files = OfferSettings(PUBLIC, instance_type_files=tmp_path)
    assert described(site, offer=files).instance_types == (InstanceType("http://x#s", "s", 1, 2048),)
    table = OfferSettings(PUBLIC, instance_types={"s": InstanceTypeSettings(1, 512, 8)})
    assert described(site, offer=table).instance_types == (InstanceType("s", "s", 1, 512, 8),)
    assert site.oned.calls()["one.documentpool.info"] == 1


def test_an_oned_of_nothing(site: Site) -> None:
    for number in range(2):
        site.oned.remove("host", number)
    offer = described(site, offer=None)
    assert (offer.images, offer.instance_types, offer.managers) == ((), (), ())
    assert offer.machines == Machines(0, 0, 0, 0, 0)
    assert subjects(offer) == [site.oned.url, "hosts", "instance types"]
