"""What breaks a rule stays here with what cannot be without it; all the rest goes out, and keeps every rule."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any, Set

import pytest

from fedcloud_agent.clouds.offer import InstanceType, Share
from fedcloud_agent.infosys import glue20, glue21
from fedcloud_agent.infosys.rules.finding import ERROR
from fedcloud_agent.infosys.rules.inspection import inspect
from fedcloud_agent.infosys.sifting import Sifted, sift, summary
from tests.unit.infosys.world import NOW, OFFER, SEEN, SETTINGS, seen, site, with_first


def names(dns: Any) -> Set[str]:
    return {dn.partition(",")[0] for dn in dns}


def sifted(**changes: Any) -> Sifted:
    made = sift(site(seen(**changes)), NOW)
    found = [one for one in inspect(glue20.entries(made.site, NOW), NOW) if one.severity == ERROR]
    assert found == []
    assert not set(made.aside) & {entry.dn for entry in glue20.entries(made.site, NOW)}
    return made


def test_a_good_site_is_left_as_it_is() -> None:
    made = sift(site(), NOW)
    assert made.site == site() and not made.aside and not made.repeated and summary(made) == []


def test_an_instance_type_without_memory_goes_alone() -> None:
    made = sifted(instance_types=with_first(OFFER.instance_types, memory=None))
    assert names(made.aside) == {"GLUE2ResourceID=ks.example.org_main_type_1"}
    assert [one.id for one in made.site.compute[0].instance_types] == ["g4"]
    assert summary(made)[0].startswith("set aside: GLUE2ResourceID=ks.example.org_main_type_1: K005")
    shares = [entry for entry in glue20.entries(made.site, NOW) if "GLUE2Share" in entry.classes]
    assert [entry.attributes.get("GLUE2ShareResourceForeignKey") for entry in shares] == [
        None,
        ("ks.example.org_main_type_g4",),
    ]
    document = glue21.document(made.site, made.site.compute[0])
    assert [one["ID"] for one in document["CloudComputingInstanceType"]] == ["g4"]


def test_an_endpoint_that_nobody_can_reach_goes_with_its_policy_and_not_the_share() -> None:
    made = sifted(endpoints=with_first(OFFER.endpoints, url="https://keystone:5000/v3"))
    assert len(made.aside) == 2 and {name.partition("=")[0] for name in names(made.aside)} == {
        "GLUE2EndpointID",
        "GLUE2PolicyID",
    }
    assert [one.interface for one in made.site.compute[0].endpoints] == ["OCCI"]
    assert len(made.site.compute[0].shares) == 2


def test_a_cloud_without_instance_types_goes_whole_and_leaves_the_site() -> None:
    made = sifted(instance_types=())
    assert made.site.compute == () and len(made.site.storage) == 2
    assert "GLUE2ServiceID=ks.example.org_main_cloud.compute" in names(made.aside)
    left = names(entry.dn for entry in glue20.entries(made.site, NOW))
    assert "GLUE2DomainID=EXAMPLE-SITE" in left and "GLUE2ServiceID=EXAMPLE-SITE_sitebdii" in left


def test_one_cloud_does_not_take_another_along() -> None:
    made = sift(site(seen("main", instance_types=(InstanceType("1"),)), seen("south")), NOW)
    # the validator asks for instance types anywhere in the tree; a manager without any is still worth publishing
    assert [(one.name, len(one.instance_types)) for one in made.site.compute] == [("main", 0), ("south", 2)]
    assert not [one for one in inspect(glue20.entries(made.site, NOW), NOW) if one.severity == ERROR]


def test_a_manager_takes_what_it_runs() -> None:
    bare = replace(OFFER.managers[0], key="bare", logical_cpus=0)
    kinds = (*OFFER.instance_types, InstanceType("b", memory=1024, manager="bare"))
    made = sifted(managers=(*OFFER.managers, bare, bare), instance_types=kinds)
    assert len(made.site.compute[0].managers) == 2 and made.repeated == (
        next(dn for dn in made.repeated if "manager_bare" in dn),
    )


def test_what_is_told_twice_stays_once() -> None:
    twice = (*OFFER.images, replace(OFFER.images[0], name="again"))
    made = sifted(images=twice)
    assert [one.name for one in made.site.compute[0].images] == ["Ubuntu 22.04", "Debian"]
    assert summary(made) == [
        "told twice, the first stays: GLUE2ApplicationEnvironmentID=ks.example.org_main_image_img-1"
    ]


def test_a_share_that_is_named_like_the_policy_of_another_is_not_mistaken_for_it() -> None:
    made = sifted(shares=(Share("", "p"), Share("_p", "policy")))
    gone = "ks.example.org_main_share__p"
    assert {f"GLUE2ShareID={gone}", f"GLUE2PolicyID={gone}_policy"} <= names(made.aside)
    assert [one.vo for one in made.site.compute[0].shares] == ["_p"]


def test_a_cloud_that_serves_no_vo_is_no_door() -> None:
    made = sift(site(seen(shares=(), storage=()), settings=replace(SETTINGS, services={})), NOW)
    assert made.site.compute[0].endpoints == ()
    assert any("K005: GLUE2PolicyRule" in reason for reason in made.aside.values())


def test_an_information_system_without_a_full_name_is_not_published_itself() -> None:
    made = sift(replace(site(), host="localhost"), NOW)
    assert made.site.host is None and made.site.compute == site().compute
    assert "GLUE2ServiceID=EXAMPLE-SITE_sitebdii" not in names(entry.dn for entry in glue20.entries(made.site, NOW))


@pytest.mark.parametrize("age", [-1000, 10 * 86400])
def test_a_wrong_clock_or_a_cloud_that_is_silent_for_days_does_not_empty_the_tree(age: int) -> None:
    made = sift(site(SEEN, now=OFFER.as_of + age), OFFER.as_of + age)
    assert made.aside == {} and len(made.site.compute) == 1


def test_of_each_entry_little_is_kept() -> None:
    kinds = tuple(InstanceType(f"type-{number}", f"name {number}", 4, 4096, 20) for number in range(2000))
    big = site(seen(instance_types=kinds))
    tracemalloc.start()
    try:
        made = sift(big, NOW)
        peak = tracemalloc.get_traced_memory()[1]
        held = list(glue20.entries(big, NOW))
        whole = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert made.aside == {} and len(held) > 2000
    assert peak < whole / 3, (peak, whole)
