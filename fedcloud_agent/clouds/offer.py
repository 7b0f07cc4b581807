"""What a cloud offers to the federation, in the federation's nouns, before any rendering.

None always means that the cloud did not tell; zero, false and an empty tuple are what it said. Ids are the cloud's own,
as its API takes them. Memory is in MB, disk and storage in GB, instants in seconds since the epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from fedcloud_agent.clouds.contract import Problem

UNLIMITED = -1
"""The limit of a quota that sets none."""

OK = "ok"
WARNING = "warning"
CRITICAL = "critical"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Endpoint:
    """An address at which people use the cloud; not those that are for its own services."""

    url: str
    interface: str
    """``OpenStack``, ``OpenNebula``, ``OCCI``, ``CDMI`` … (see the table of names in ``infosys.naming``)."""
    version: Optional[str] = None
    """The interface's version, such as ``v2.1``."""
    implementation: Optional[str] = None
    """The program behind it, such as ``OpenStack Nova``."""
    implementation_version: Optional[str] = None
    implementor: Optional[str] = None
    authentication: Tuple[str, ...] = ()
    """``oidc``, ``x509``, ``voms`` … in the order of preference."""
    semantics: Tuple[str, ...] = ()
    """URLs of its documentation."""
    issuer_ca: Optional[str] = None
    """The subject of the authority that signed its certificate, in slash form."""
    trusted_cas: Tuple[str, ...] = ()
    health: str = OK
    """OK, WARNING, CRITICAL or UNKNOWN, as found when it was described."""
    health_info: Optional[str] = None


@dataclass(frozen=True)
class Machines:
    """How many virtual machines there are, by state."""

    total: Optional[int] = None
    running: Optional[int] = None
    waiting: Optional[int] = None
    """Not yet started: building, scheduled."""
    suspended: Optional[int] = None
    halted: Optional[int] = None
    """Shut down, but still there."""


@dataclass(frozen=True)
class Quota:
    """How much of something a project may use, and uses. ``limit`` may be UNLIMITED."""

    name: str
    """``instances``, ``cores``, ``ram`` (MB), ``disk`` (GB), ``floating_ips``, or the cloud's own word."""
    limit: Optional[int] = None
    used: Optional[int] = None


@dataclass(frozen=True)
class Share:
    """A project or group of the cloud, and the VO that it serves."""

    vo: str
    project: str
    """Its id."""
    project_name: Optional[str] = None
    project_domain: Optional[str] = None
    description: Optional[str] = None
    max_machines: Optional[int] = None
    max_cpu: Optional[int] = None
    max_memory: Optional[int] = None
    """The most that one machine of this share can have."""
    quotas: Tuple[Quota, ...] = ()
    machines: Optional[Machines] = None
    network_info: Optional[str] = None
    default_network_type: Optional[str] = None
    public_network: Optional[str] = None


@dataclass(frozen=True)
class Manager:
    """What runs the machines: a kind of hypervisor and all hosts that have it."""

    key: str
    """Names it within the cloud, and stays when the product's version changes: ``kvm``."""
    product: Optional[str] = None
    product_version: Optional[str] = None
    hypervisor: Optional[str] = None
    hypervisor_version: Optional[str] = None
    architecture: Optional[str] = None
    hosts: Optional[int] = None
    physical_cpus: Optional[int] = None
    logical_cpus: Optional[int] = None
    """Cores (or threads) of all hosts together, without overcommitment."""
    slots: Optional[int] = None
    """Virtual cores that can be given out; with overcommitment more than the logical ones."""
    slots_used: Optional[int] = None
    memory: Optional[int] = None
    memory_used: Optional[int] = None
    network_virtualization: Optional[str] = None
    cpu_virtualization: Optional[str] = None
    disk_format: Optional[str] = None
    failover: Optional[bool] = None
    live_migration: Optional[bool] = None
    backup_restore: Optional[bool] = None


@dataclass(frozen=True)
class InstanceType:
    """A size in which machines can be had: a flavor, a template."""

    id: str
    name: Optional[str] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    disk: Optional[int] = None
    ephemeral: Optional[int] = None
    architecture: Optional[str] = None
    network_in: Optional[bool] = None
    network_out: Optional[bool] = None
    network_info: Optional[str] = None
    manager: Optional[str] = None
    """The key of the manager that runs it; None: the cloud's first one."""
    accelerator: Optional[str] = None
    """The id of the accelerator that its machines have."""
    shares: Optional[Tuple[str, ...]] = None
    """The ids of the projects that may use it; None: all."""


@dataclass(frozen=True)
class Accelerator:
    """A GPU or other accelerator that comes with an instance type."""

    id: str
    type: str
    number: Optional[int] = None
    vendor: Optional[str] = None
    model: Optional[str] = None
    version: Optional[str] = None
    clock_speed: Optional[int] = None
    """MHz."""
    memory: Optional[int] = None
    """GB, as the federation has it."""
    compute_capability: Tuple[str, ...] = ()
    virtualization: Optional[str] = None


@dataclass(frozen=True)
class Image:
    """A disk image, or a template with one, that machines can be started from."""

    id: str
    """What the cloud's API takes to start a machine from it."""
    name: Optional[str] = None
    marketplace_uri: Optional[str] = None
    """Where the federation's registry describes it; an image without one is the site's private affair."""
    version: Optional[str] = None
    description: Optional[str] = None
    os_family: Optional[str] = None
    os_name: Optional[str] = None
    os_version: Optional[str] = None
    architecture: Optional[str] = None
    min_cpu: Optional[int] = None
    recommended_cpu: Optional[int] = None
    min_memory: Optional[int] = None
    recommended_memory: Optional[int] = None
    disk: Optional[int] = None
    access_info: Optional[str] = None
    """How one logs in to it: ``none``, ``passwd``, ``rsa``."""
    base_uri: Optional[str] = None
    """The marketplace URI without the version, where the registry has one."""
    shares: Optional[Tuple[str, ...]] = None
    """The ids of the projects that see it; None: all."""


@dataclass(frozen=True)
class Storage:
    """Space for data of its own, beside the machines: object or block storage with an interface."""

    key: str
    endpoints: Tuple[Endpoint, ...]
    protocols: Tuple[Tuple[str, str], ...]
    """Pairs of a protocol and its version: ``("https", "1.1")``."""
    total: Optional[int] = None
    used: Optional[int] = None
    free: Optional[int] = None
    reserved: Optional[int] = None
    vos: Optional[Tuple[str, ...]] = None
    """The VOs that may use it; None: those of the cloud's shares."""


@dataclass(frozen=True)
class CloudOffer:
    """All that one cloud offers at one moment."""

    as_of: int
    """The agent's time before the first question was asked."""
    endpoints: Tuple[Endpoint, ...]
    shares: Tuple[Share, ...] = ()
    managers: Tuple[Manager, ...] = ()
    instance_types: Tuple[InstanceType, ...] = ()
    images: Tuple[Image, ...] = ()
    accelerators: Tuple[Accelerator, ...] = ()
    storage: Tuple[Storage, ...] = ()
    machines: Optional[Machines] = None
    problems: Tuple[Problem, ...] = ()
    """What a person should hear of: a project that could not be asked, an image without usable properties."""
