"""The site as it is to be published: the clouds' offers, the site's own words, and how things stand. No rendering.

Made by ``gathering``, read by ``glue20``, ``glue21`` and ``table``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from fedcloud_agent.clouds.offer import Accelerator, Image, InstanceType, Machines, Manager, Share
from fedcloud_agent.infosys.settings import InfosysSettings


@dataclass(frozen=True)
class Downtime:
    """An outage that was announced. Instants."""

    announced: int
    start: int
    end: int
    info: str
    outage: bool = True
    """False: the service is at risk, but goes on."""


@dataclass(frozen=True)
class State:
    """How an endpoint stands, as far as we can tell."""

    health: str
    serving: str
    """``production``, ``draining``, ``closed``."""
    info: Optional[str] = None


@dataclass(frozen=True)
class Contact:
    """Whom to write to. ``kind`` is ``general``, ``sysadmin``, ``security`` or ``usersupport``."""

    kind: str
    mail: str


@dataclass(frozen=True)
class SiteEndpoint:
    """A door to a service."""

    id: str
    url: str
    interface: str
    version: str
    implementation: Optional[str]
    implementation_version: Optional[str]
    implementor: Optional[str]
    authentication: Tuple[str, ...]
    semantics: Tuple[str, ...]
    issuer_ca: Optional[str]
    trusted_cas: Tuple[str, ...]
    vos: Tuple[str, ...]
    state: State
    downtime: Optional[Downtime] = None


@dataclass(frozen=True)
class ComputeService:
    """The machines of one cloud: one GLUE service. What the cloud told stands in it as it told it."""

    name: str
    """Of the cloud, below ``clouds``."""
    base: str
    """With what the identifiers of all its parts begin: unique in the federation."""
    gocdb_id: Optional[str]
    as_of: int
    endpoints: Tuple[SiteEndpoint, ...]
    shares: Tuple[Share, ...]
    managers: Tuple[Manager, ...]
    """At least one: where the cloud told of none, it is an empty one."""
    instance_types: Tuple[InstanceType, ...]
    images: Tuple[Image, ...]
    accelerators: Tuple[Accelerator, ...]
    machines: Machines

    def manager_of(self, kind: InstanceType) -> Manager:
        """Return the manager that runs an instance type."""
        return next((one for one in self.managers if one.key == kind.manager), self.managers[0])


@dataclass(frozen=True)
class StorageService:
    """Space for data, of a cloud or on its own."""

    name: str
    base: str
    as_of: int
    endpoints: Tuple[SiteEndpoint, ...]
    protocols: Tuple[Tuple[str, str], ...]
    product: str
    total: Optional[int] = None
    used: Optional[int] = None
    free: Optional[int] = None
    reserved: Optional[int] = None


@dataclass(frozen=True)
class AgentState:
    """What the agent says of itself, for those who watch a site from afar."""

    version: str
    last_acknowledged: Optional[int] = None
    """When a destination last acknowledged usage records."""
    oldest_waiting: Optional[int] = None
    """Since when the oldest record waits to be sent."""
    last_image_sync: Optional[int] = None


@dataclass(frozen=True)
class SiteOffer:
    """The whole site."""

    name: str
    host: Optional[str]
    """Of the information system; None: it is not to be published itself."""
    settings: InfosysSettings
    contacts: Tuple[Contact, ...]
    compute: Tuple[ComputeService, ...]
    storage: Tuple[StorageService, ...]
    agent: AgentState

    @property
    def words(self) -> Mapping[str, str]:
        """What the site says in OtherInfo of its domain."""
        said = {"GRID": "EGI", "ProfileName": "EGI", "ProfileVersion": "1.0"}
        return {**said, "EGI_NGI": self.settings.ngi} if self.settings.ngi else said
