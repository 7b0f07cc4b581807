"""Hosts summed up: those of real ones, and those that come close."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from fedcloud_agent.clouds.offer import Manager
from fedcloud_plugins.opennebula.description.hosts import Host, host_of, managers_of
from tests.unit.opennebula.description.lists import recorded


def host(share: str = "", state: object = 2, driver: str = "kvm", template: str = "") -> Host:
    text = f"<HOST><ID>4</ID><NAME>n</NAME><STATE>{state}</STATE><VM_MAD>{driver}</VM_MAD>"
    return host_of(fromstring(f"{text}<HOST_SHARE>{share}</HOST_SHARE><TEMPLATE>{template}</TEMPLATE></HOST>"))


def shares(**values: Any) -> str:
    told = {"MAX_CPU": 800, "MAX_MEM": 16777216, "CPU_USAGE": 0, "MEM_USAGE": 0, **values}
    return "".join(f"<{key}>{value}</{key}>" for key, value in told.items() if value is not None)


def test_recorded_hosts() -> None:
    hosts = [host_of(element) for element in recorded("hostpool.info", "HOST_POOL")]
    assert [one.up for one in hosts] == [False, True, True, True]
    (manager,) = managers_of(hosts, "OpenNebula", "6.10.5")
    assert manager == Manager(
        key="dummy",
        product="OpenNebula",
        product_version="6.10.5",
        hypervisor="dummy",
        architecture="x86_64",
        hosts=3,
        # two cores of the third are reserved
        logical_cpus=24,
        slots=22,
        slots_used=manager.slots_used,
        memory=49152,
        memory_used=manager.memory_used,
    )
    assert manager.slots_used == -(-sum(one.cpu_used for one in hosts) // 100) > 3
    assert manager.memory_used == -(-sum(one.memory_used for one in hosts) // 1024) > 768


@pytest.mark.parametrize(
    ("state", "up"), [(0, False), (1, True), (2, True), *((n, False) for n in (3, 4, 5, 6, 7, 8, 99))]
)
def test_only_hosts_that_are_monitored_count(state: int, up: bool) -> None:
    (manager,) = managers_of([host(shares(), state)], "OpenNebula", "6.10.5")
    assert (manager.hosts, manager.logical_cpus) == ((1, 8) if up else (0, 0))


def test_before_totals_were_told_what_may_be_given_out_is_all() -> None:
    assert host(shares(MAX_CPU=600))[3:5] == (600, 600)
    assert host(shares(MAX_CPU=1600, TOTAL_CPU=800, TOTAL_MEM=1))[3:5] == (800, 1600)
    # more reserved than there is, and an account that went below nothing
    assert host(shares(MAX_CPU=-200, CPU_USAGE=-100))[3:6] == (0, 0, 0)


def test_each_kind_is_a_manager_and_that_of_the_most_hosts_is_the_first() -> None:
    hosts = [
        host(shares(), driver="vmm_xen"),
        host(shares(), 3, template="<HYPERVISOR>KVM</HYPERVISOR><ARCH>x86_64</ARCH>"),
        host(shares(CPU_USAGE=101, MEM_USAGE=1), template="<HYPERVISOR>kvm</HYPERVISOR><ARCH>aarch64</ARCH>"),
        host(shares(), template="<HYPERVISOR>kvm</HYPERVISOR><ARCH>x86_64</ARCH>"),
    ]
    kvm, xen = managers_of(hosts, "OpenNebula", "4.14.2")
    assert (kvm.key, kvm.hosts, kvm.architecture, kvm.slots_used, kvm.memory_used) == ("kvm", 2, None, 2, 1)
    assert (xen.key, xen.hosts, xen.architecture) == ("xen", 1, None)
    assert managers_of([], "OpenNebula", "4.14.2") == ()


@pytest.mark.parametrize("bad", [{"MAX_CPU": None}, {"MAX_CPU": "all"}, {"MAX_MEM": ""}, {"CPU_USAGE": "1e9"}])
def test_a_host_that_makes_no_sense_is_named(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"host 4 n is left out: (MAX|CPU)_"):
        host(shares(**bad))
    # of one that is off nothing is expected
    assert host(shares(**bad), 4).cpu == 0
    with pytest.raises(ValueError, match="no number"):
        host(shares(), "up")
