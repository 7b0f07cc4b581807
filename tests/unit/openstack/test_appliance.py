"""What the tools that bring images write on them."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest

from fedcloud_plugins.openstack.appliance import Appliance, appliance

PREFER = "vmcatcher_event_ad_mpuri"
URI = "https://registry.example.org/vo/image/7:2/"
BASE = "https://registry.example.org/image/7/"
FACTS = {
    "dc:title": "CernVM",
    "dc:description": "",
    "ad:mpuri": URI,
    "ad:base_mpuri": BASE,
    "hv:version": "3.3.0-1",
    "hv:ram_minimum": "536870912",
    "ad:ram_recommended": "1024",
    "hv:core_minimum": "1",
    "ad:core_recommended": 4,
    "sl:arch": "x86_64",
    "sl:os": "Linux",
    "sl:osversion": "6.0",
}
WHOLE = Appliance(URI, BASE, "3.3.0-1", "CernVM", "Linux", "6.0", "x86_64", 1, 4, 512, 1024)


def test_the_facts_of_the_image_list_as_one_text() -> None:
    assert appliance({"APPLIANCE_ATTRIBUTES": json.dumps(FACTS)}, PREFER) == WHOLE


@pytest.mark.parametrize("prefix", ["CLOUDKEEPER_", "APPLIANCE_", "CLOUDKEEPER_APPLIANCE_"])
@pytest.mark.parametrize("upper", [True, False])
def test_one_property_for_each_fact(prefix: str, upper: bool) -> None:
    told = {"mpuri": URI, "version": "7", "title": "Worker", "ram": "512", "core": "2", "base_mpuri": BASE}
    row = {prefix + (key.upper() if upper else key): value for key, value in told.items()}
    assert appliance(row, PREFER) == Appliance(URI, BASE, "7", "Worker", min_cpu=2, min_memory=512)


def test_the_property_that_the_site_named_counts_before_all_others() -> None:
    row = {"mine": "urn:mine", "vmcatcher_event_ad_mpuri": URI, "marketplace": "urn:else"}
    assert appliance(row, "mine").uri == "urn:mine"
    assert appliance(row, PREFER).uri == URI
    assert appliance({"marketplace": "urn:else"}, PREFER).uri == "urn:else"
    assert appliance({"ad:mpuri": URI}, PREFER).uri == URI
    assert appliance({"mine": 7, "ad:mpuri": URI}, "mine").uri == URI


def test_a_plain_image() -> None:
    assert appliance({"id": "i", "name": "plain", "os_distro": "debian"}, PREFER) == Appliance()


@pytest.mark.parametrize("told", ["", None])
def test_no_facts_are_no_problem(told: Any) -> None:
    assert appliance({"APPLIANCE_ATTRIBUTES": told}, PREFER).problem is None


@pytest.mark.parametrize("told", ["{", "[]", "7", "null", "[" * 100000, 7, {"ad:mpuri": URI}])
def test_facts_that_are_none(told: Any) -> None:
    found = appliance({"APPLIANCE_ATTRIBUTES": told, PREFER: URI}, PREFER)
    assert found.uri == URI
    assert "APPLIANCE_ATTRIBUTES" in str(found.problem)


@pytest.mark.parametrize(
    ("facts", "memory", "cores"),
    [
        ({"hv:ram_minimum": "0", "hv:core_minimum": "0"}, None, None),
        ({"hv:ram_minimum": "much", "hv:core_minimum": "-2"}, None, None),
        ({"hv:ram_minimum": "\u0663", "hv:core_minimum": "9" * 30}, None, None),
        ({"hv:ram_minimum": [], "hv:core_minimum": {}}, None, None),
        ({"hv:ram_minimum": 1048576, "hv:core_minimum": 3}, 1, 3),
    ],
)
def test_numbers(facts: Dict[str, Any], memory: Any, cores: Any) -> None:
    found = appliance({"APPLIANCE_ATTRIBUTES": json.dumps(facts)}, PREFER)
    assert (found.min_memory, found.min_cpu) == (memory, cores)
