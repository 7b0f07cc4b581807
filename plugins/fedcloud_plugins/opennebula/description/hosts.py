"""Hosts, summed up by what runs machines on them. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple
from xml.etree.ElementTree import Element

from fedcloud_agent.clouds.offer import Manager
from fedcloud_plugins.opennebula.row import number, texts

_UP = (1, 2)
"""MONITORED, and being monitored as releases up to 5.10 show it; all others are off, in error or not yet known."""
_CORE = 100
_LARGEST = 2**53


class Host(NamedTuple):
    """A hypervisor. CPU in hundredths of a core, memory in kB."""

    kind: str
    architecture: str
    up: bool
    cpu: int
    """What it has."""
    cpu_offered: int
    """What may be given out: with a reservation less than it has, with overcommitment more."""
    cpu_used: int
    """What was given out."""
    memory: int
    memory_used: int


def host_of(element: Element) -> Host:
    """Return the host that a HOST element tells of. Raises ValueError for one that makes no sense."""
    values = {child.tag: child.text for child in element}
    attributes = texts(element.find("TEMPLATE"))
    share = {child.tag: child.text for child in element.findall("HOST_SHARE/*")}
    up = number(values.get("STATE"), _LARGEST) in _UP
    driver = (values.get("VM_MAD") or "").strip()
    kind = attributes.get("HYPERVISOR") or driver[4 if driver.startswith("vmm_") else 0 :] or "unknown"

    def told(key: str) -> int:
        text = (share.get(key) or "").strip()
        # more may be reserved, and given back, than there is
        if not up or (text.startswith("-") and text[1:].isdigit()):
            return 0
        try:
            return number(text, _LARGEST)
        except ValueError as error:
            raise ValueError(
                f"host {_name(values.get('ID'), values.get('NAME'))} is left out: {key}: {error}"
            ) from None

    # before 5.4 there is nothing but what is left after the reservation
    whole = "TOTAL" if "TOTAL_CPU" in share and "TOTAL_MEM" in share else "MAX"
    return Host(
        kind.lower(),
        attributes.get("ARCH", ""),
        up,
        told(f"{whole}_CPU"),
        told("MAX_CPU"),
        told("CPU_USAGE"),
        told(f"{whole}_MEM"),
        told("MEM_USAGE"),
    )


def _name(*words: object) -> str:
    return " ".join(str(word)[:80] for word in words if word)


def managers_of(hosts: Iterable[Host], product: str, version: Optional[str]) -> Tuple[Manager, ...]:
    """Return a manager for each kind of hypervisor, that of the most hosts first; only hosts that are up are summed."""
    kinds: Dict[str, List[Host]] = {}
    for host in hosts:
        kinds.setdefault(host.kind, []).append(host)
    order = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
    return tuple(_manager(kind, kinds[kind], product, version) for kind in order)


def _manager(kind: str, hosts: List[Host], product: str, version: Optional[str]) -> Manager:
    up = [host for host in hosts if host.up]
    architectures = {host.architecture for host in up or hosts}
    return Manager(
        key=kind,
        product=product,
        product_version=version,
        hypervisor=kind,
        architecture=architectures.pop() or None if len(architectures) == 1 else None,
        hosts=len(up),
        logical_cpus=sum(host.cpu for host in up) // _CORE,
        slots=sum(host.cpu_offered for host in up) // _CORE,
        slots_used=-(-sum(host.cpu_used for host in up) // _CORE),
        memory=sum(host.memory for host in up) // 1024,
        memory_used=-(-sum(host.memory_used for host in up) // 1024),
    )
