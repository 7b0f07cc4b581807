"""Flavors that a real nova listed, and flavors that none should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.offer import Accelerator, InstanceType
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.flavors import FlavorView, accelerator, largest, sizes

DATA = Path(__file__).parents[2] / "data" / "openstack"


def recorded(name: str) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = json.loads((DATA / f"{name}.json").read_bytes())["response"]["body"]["flavors"]
    return found


ALL = recorded("nova-flavors-all-2.61")
MEMBERS = recorded("nova-flavors-member")
GPU, PRIVATE = "8d3b2233-0e3b-44d6-8536-5d42a5e2cb7a", "a9067cc2-8294-4219-8910-661d5c4db753"
LARGE = "e2e8a638-22b1-4a8d-b91b-2f49f8f8b53e"


def row(id_: str = "f", **changes: Any) -> Dict[str, Any]:
    plain = {"id": id_, "name": "small", "vcpus": 1, "ram": 2048, "disk": 20, "OS-FLV-EXT-DATA:ephemeral": 0}
    return {
        **plain,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "extra_specs": {},
        **changes,
    }


def test_what_two_projects_are_shown() -> None:
    found = sizes([FlavorView("ops", MEMBERS), FlavorView("biomed", ALL)])
    types = {one.id: one for one in found.types}
    assert found.problems == ()
    assert [one.id for one in found.types] == sorted(entry["id"] for entry in ALL)
    assert types[LARGE] == InstanceType(LARGE, "m1.large", 4, 8192, 80, 10)
    assert types[PRIVATE] == InstanceType(PRIVATE, "private.biomed", 2, 4096, 10, 0, shares=("biomed",))
    assert types[GPU].accelerator == GPU
    assert found.accelerators == (Accelerator(GPU, "GPU", 2, "NVIDIA", "A100"),)


def test_from_outside_only_what_is_public_counts() -> None:
    found = sizes([FlavorView(None, ALL)])
    assert {one.id for one in found.types} == {entry["id"] for entry in ALL} - {PRIVATE}
    both = sizes([FlavorView(None, ALL), FlavorView("biomed", ALL)])
    assert {one.id: one.shares for one in both.types}[PRIVATE] == ("biomed",)


def test_a_flavor_of_two_projects_and_one_that_is_disabled() -> None:
    own = row("own", **{"os-flavor-access:is_public": False})
    off = row("off", **{"OS-FLV-DISABLED:disabled": True})
    found = sizes([FlavorView("b", [own, off]), FlavorView("a", [own])])
    assert [(one.id, one.shares) for one in found.types] == [("own", ("a", "b"))]


def test_an_old_cloud_does_not_tell_properties() -> None:
    found = sizes([FlavorView("ops", recorded("nova-flavors-all"))])
    assert len(found.types) == 2
    assert [problem.subject for problem in found.problems] == ["flavors"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vcpus": "4"}, "vcpus '4'"),
        ({"vcpus": -1}, "vcpus -1"),
        ({"ram": True}, "ram True"),
        ({"disk": 2**50}, "disk"),
        ({"ram": None}, "ram None"),
        ({"name": 7}, "name 7"),
        ({"OS-FLV-EXT-DATA:ephemeral": "x"}, "ephemeral 'x'"),
        ({"extra_specs": ["Accelerator:Type"]}, "extra_specs"),
    ],
)
def test_a_bad_flavor_is_left_out_and_named(changes: Dict[str, Any], reason: str) -> None:
    found = sizes([FlavorView("p", [row("bad", **changes), row("good")])])
    assert [one.id for one in found.types] == ["good"]
    (problem,) = found.problems
    assert problem.subject == "flavor bad"
    assert reason in problem.reason
    with pytest.raises(RemoteDataError, match="none of 1 flavors"):
        sizes([FlavorView("p", [row("bad", **changes)])])


@pytest.mark.parametrize("bad", [None, "small", [], {}, {"id": None}, {"id": 7}, {"id": ""}])
def test_rows_that_cannot_be_told_apart_are_no_list(bad: Any) -> None:
    with pytest.raises(RemoteDataError, match="a flavor without id"):
        sizes([FlavorView("p", [row(), bad])])


def test_all_that_a_flavor_may_say_of_its_accelerator() -> None:
    told = {
        "Accelerator:Type": "GPU",
        "Accelerator:Number": "4.0",
        "Accelerator:Vendor": "NVIDIA",
        "Accelerator:Model": "Tesla V100",
        "Accelerator:Version": "PCIe",
        "Accelerator:Memory": "32",
        "Accelerator:ClockSpeed": "1530",
        "Accelerator:ComputeCapability": "7.0, NVLink",
        "Accelerator:VirtualizationType": "PCI passthrough",
    }
    assert accelerator("f", row(extra_specs=told)) == Accelerator(
        *("f", "GPU", 4, "NVIDIA", "Tesla V100", "PCIe"),
        clock_speed=1530,
        memory=32,
        compute_capability=("7.0", "NVLink"),
        virtualization="PCI passthrough",
    )
    assert accelerator("f", row(extra_specs={"pci_passthrough:alias": "a100:1"})) is None
    assert accelerator("f", row(extra_specs={"Accelerator:Type": "GPU", "Accelerator:Version": "0"})) == Accelerator(
        "f", "GPU"
    )


@pytest.mark.parametrize(
    ("written", "number"), [("1", 1), (" 2.00 ", 2), ("0.5", None), ("many", None), ("9" * 20, None)]
)
def test_a_number_of_accelerators_that_is_none_is_named(written: str, number: Any) -> None:
    specs = {"Accelerator:Type": "GPU", "Accelerator:Number": written}
    found = sizes([FlavorView("p", [row(extra_specs=specs)])])
    assert found.accelerators[0].number == number
    assert len(found.problems) == (number is None)


@pytest.mark.parametrize(("told", "network"), [("true", "infiniband"), ("True", "infiniband"), ("false", None)])
def test_infiniband(told: str, network: Any) -> None:
    (found,) = sizes([FlavorView("p", [row(extra_specs={"infiniband": told})])]).types
    assert found.network_info == network


@pytest.mark.parametrize(
    ("project", "cores", "memory", "expected"),
    [
        ("a", None, None, (16, 65536)),
        ("b", None, None, (8, 32768)),
        ("a", 8, None, (8, 32768)),
        ("a", None, 40000, (8, 32768)),
        ("a", 0, None, (None, None)),
    ],
)
def test_the_most_that_one_machine_can_have(project: str, cores: Any, memory: Any, expected: Any) -> None:
    types = [
        InstanceType("1", cpu=1, memory=2048),
        InstanceType("8", cpu=8, memory=32768),
        InstanceType("16", cpu=16, memory=65536, shares=("a",)),
    ]
    assert largest(types, project, cores, memory) == expected
