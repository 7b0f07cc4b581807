"""Flavors, images, hosts and quotas of the simulated site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional


@dataclass(frozen=True)
class Flavor:
    """A size of servers: MB of memory, GB of disk, MB of swap. Never changed, only replaced: servers keep theirs."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    is_public: bool = True
    description: Optional[str] = None
    extra_specs: Dict[str, str] = field(default_factory=dict)
    access: List[str] = field(default_factory=list)


@dataclass
class Image:
    """An image of glance; ``properties`` are those that somebody added, ``members`` maps projects to their answer."""

    id: str
    name: str
    created: int
    updated: int
    owner: Optional[str] = None
    status: str = "active"
    visibility: str = "public"
    disk_format: Optional[str] = "qcow2"
    container_format: Optional[str] = "bare"
    size: Optional[int] = 1048576
    checksum: Optional[str] = "0" * 32
    os_hash_value: Optional[str] = "0" * 128
    min_disk: int = 0
    min_ram: int = 0
    protected: bool = False
    os_hidden: bool = False
    tags: List[str] = field(default_factory=list)
    properties: Dict[str, Any] = field(default_factory=dict)
    members: Dict[str, str] = field(default_factory=dict)


@dataclass
class Hypervisor:
    """A host that machines run on, by its name: MB of memory, GB of disk."""

    name: str
    id: str
    serial: int
    kind: str = "QEMU"
    version: int = 7002009
    vcpus: int = 64
    memory: int = 262144
    disk: int = 2000
    state: str = "up"
    status: str = "enabled"
    address: str = "192.0.2.1"
    service_id: Optional[str] = None
    cpu_info: Any = field(
        default_factory=lambda: {
            "arch": "x86_64",
            "model": "EPYC-Rome",
            "vendor": "AMD",
            "topology": {"cells": 2, "sockets": 1, "cores": 16, "threads": 2},
            "features": ["pge", "clflush"],
        }
    )


@dataclass
class Capacity:
    """The hosts, and the limits of projects by id: ``cores``, ``instances``, ``ram``; what is not set has none."""

    hypervisors: Dict[str, Hypervisor] = field(default_factory=dict)
    quotas: Dict[str, Dict[str, int]] = field(default_factory=dict)
