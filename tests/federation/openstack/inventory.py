"""Flavors and images of the simulated site."""

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
