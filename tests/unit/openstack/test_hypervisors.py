"""Hosts that a real nova listed, and kinds of them that it did not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from fedcloud_agent.clouds.offer import Manager
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.hypervisors import managers, unseen

DATA = Path(__file__).parents[2] / "data" / "openstack"


def recorded(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_bytes())["response"]["body"]["hypervisors"]


(HOST,) = recorded("nova-hypervisors-detail")


def host(**changes: Any) -> Dict[str, Any]:
    topology = {"cells": 2, "sockets": 1, "cores": 16, "threads": 2}
    return {
        **HOST,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 7002009,
        "vcpus": 64,
        "vcpus_used": 12,
        "memory_mb": 1000,
        "memory_mb_used": 100,
        "cpu_info": {"arch": "x86_64", "topology": topology},
        **changes,
    }


def test_the_recorded_one() -> None:
    assert managers([HOST], "2.93", "cloud") == [
        Manager(
            *("fake-x86_64", "OpenStack Nova", "2.93", "fake", "1000", "x86_64"),
            hosts=1,
            physical_cpus=4,
            logical_cpus=1000,
            slots_used=27,
            memory=800000,
            memory_used=48256,
        )
    ]


def test_what_newer_versions_do_not_tell_stays_untold() -> None:
    (found,) = managers(recorded("nova-hypervisors-detail-2.88"), "2.93", "cloud")
    assert found == Manager("fake", "OpenStack Nova", "2.93", "fake", "1000", hosts=1)
    assert unseen("2.93") == Manager("nova", "OpenStack Nova", "2.93")


def test_hosts_of_a_kind_are_summed_up_and_disabled_ones_are_not() -> None:
    old = host(hypervisor_version=4002001)
    arm = host(cpu_info=json.dumps({"arch": "aarch64"}))
    found = managers([arm, host(), old, host(status="disabled")], None, "cloud")
    assert [one.key for one in found] == ["qemu-x86_64", "qemu-aarch64"]
    assert (found[0].hosts, found[0].logical_cpus, found[0].physical_cpus, found[0].memory) == (2, 128, 4, 2000)
    assert (found[0].slots_used, found[0].memory_used) == (24, 200)
    assert found[0].hypervisor_version == "4.2.1"
    assert (found[1].architecture, found[1].physical_cpus) == ("aarch64", None)
    # one host that does not tell makes the sum unknown
    assert managers([host(), host(vcpus=None)], None, "cloud")[0].logical_cpus is None


@pytest.mark.parametrize("told", ["", "{", "[]", None, 7, {}, {"arch": 7, "topology": []}])
def test_processors_that_are_not_described(told: Any) -> None:
    (found,) = managers([host(cpu_info=told)], None, "cloud")
    assert (found.key, found.architecture, found.physical_cpus, found.logical_cpus) == ("qemu", None, None, 64)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "host",
        host(vcpus="64"),
        host(memory_mb=-1),
        host(hypervisor_type=7),
        host(hypervisor_version="7.2"),
        host(cpu_info={"topology": {"sockets": "two"}}),
    ],
)
def test_half_of_the_hosts_would_be_a_wrong_sum(bad: Any) -> None:
    with pytest.raises(RemoteDataError, match="cloud/hosts lists a host"):
        managers([host(), bad], None, "cloud/hosts")
