"""What a site has beside machines and people: hosts, clusters, images, templates, datastores, networks, documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict

from tests.federation.opennebula.template import Pairs, pairs


@dataclass
class Host:
    """A hypervisor. ``cpu`` in hundredths of a core, ``memory`` in kB; what is reserved is taken off what it shows.

    ``state`` is oned's number; a host that is not up shows nothing of what it has.
    """

    id: int
    name: str
    cluster_id: int = 0
    state: int = 2
    cpu: int = 3200
    memory: int = 134217728
    reserved_cpu: int = 0
    reserved_memory: int = 0
    hypervisor: str = "kvm"
    template: Pairs = field(default_factory=list)


@dataclass
class Cluster:
    """A set of hosts."""

    id: int
    name: str
    template: Pairs = field(default_factory=list)


@dataclass
class Image:
    """An image: ``size`` in MB; ``polls`` are left until the driver is done, well or (``error``) not."""

    id: int
    name: str
    uid: int = 0
    gid: int = 0
    size: int = 1024
    state: int = 1
    type: int = 0
    persistent: int = 0
    regtime: int = 0
    datastore_id: int = 1
    path: str = "/var/tmp/image.qcow2"
    source: str = "/var/lib/one//datastores/1/0123456789abcdef0123456789abcdef"
    format: str = "qcow2"
    permissions: str = "644"
    lock: str = ""
    polls: int = 0
    error: str = ""
    template: Pairs = field(default_factory=lambda: pairs({"DEV_PREFIX": "vd"}))


@dataclass
class Blueprint:
    """A template that machines are made of, or a document (``type`` 999 and the like)."""

    id: int
    name: str
    uid: int = 0
    gid: int = 0
    regtime: int = 0
    permissions: str = "644"
    type: int = 0
    template: Pairs = field(default_factory=list)


@dataclass
class Datastore:
    """Where images or disks are; ``type`` 0 images, 1 disks, 2 files. Sizes in MB."""

    id: int
    name: str
    type: int = 0
    total: int = 1048576
    free: int = 786432
    used: int = 262144
    template: Pairs = field(default_factory=lambda: pairs({"RESTRICTED_DIRS": "/", "SAFE_DIRS": "/var/tmp"}))


@dataclass
class Network:
    """A network; ``addresses`` is its one range: first address and size."""

    id: int
    name: str
    address: str = "10.0.0.2"
    size: int = 65536
    template: Pairs = field(default_factory=lambda: pairs({"BRIDGE": "br0", "VN_MAD": "bridge"}))


@dataclass
class Zone:
    """A zone of a federation."""

    id: int
    name: str
    endpoint: str


class Inventory:
    """All of it, by id. Starts with one cluster, its two hosts, the three datastores and a network."""

    def __init__(self, endpoint: str) -> None:
        self.clusters: Dict[int, Cluster] = {0: Cluster(0, "default")}
        self.hosts: Dict[int, Host] = {key: Host(key, f"node{key + 1:02d}.cloud.example.org") for key in range(2)}
        self.images: Dict[int, Image] = {}
        self.templates: Dict[int, Blueprint] = {}
        self.documents: Dict[int, Blueprint] = {}
        self.datastores: Dict[int, Datastore] = {
            0: Datastore(0, "system", 1),
            1: Datastore(1, "default", 0),
            2: Datastore(2, "files", 2),
        }
        self.networks: Dict[int, Network] = {0: Network(0, "private")}
        self.zones: Dict[int, Zone] = {0: Zone(0, "OpenNebula", endpoint)}
