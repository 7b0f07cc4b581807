"""A cloud as one JSON document in the terms of GLUE 2.1, as the federation's catalogue reads it today.

Images and instance types go by the cloud's own ids there, since readers start machines by them; everything else has the
identifiers of the LDAP tree. A document is about one cloud.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from fedcloud_agent.clouds.offer import Accelerator, Image, InstanceType, Machines, Manager, Share
from fedcloud_agent.infosys.glue20_compute import complexity, manager_id, sees, service_id, share_id
from fedcloud_agent.infosys.glue20_service import SCHEME, safe_url, status_page
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import ComputeService, SiteEndpoint, SiteOffer
from fedcloud_agent.infosys.naming import interface_name, service_type
from fedcloud_agent.infosys.words import moment, text

_POLICY = "http://go.egi.eu/aup"
_UNKNOWN = "UNKNOWN"

Item = Dict[str, object]
Document = Dict[str, List[Item]]


def document(site: SiteOffer, service: ComputeService) -> Document:
    """Return the document of one cloud: the items of each class. What the cloud did not tell is left out."""
    made = _Maker(site, service)
    accelerated = [one for one in service.instance_types if one.accelerator is not None]
    known = {one.id: one for one in service.accelerators}
    return {
        "CloudComputingService": [made.service()],
        "CloudComputingManager": [made.manager(one) for one in service.managers],
        "CloudComputingEndpoint": [made.endpoint(one) for one in service.endpoints],
        "CloudComputingImage": [made.image(one) for one in service.images],
        "CloudComputingInstanceType": [made.instance_type(one) for one in service.instance_types],
        "CloudComputingVirtualAccelerator": [
            made.accelerator(known[one.accelerator], one) for one in accelerated if one.accelerator in known
        ],
        "Share": [made.share(one) for one in service.shares],
        "MappingPolicy": [made.mapping_policy(one) for one in service.shares],
        "AccessPolicy": [made.access_policy(one) for one in service.endpoints],
    }


class _Maker:
    """Items of one service: they share its identifiers and times."""

    def __init__(self, site: SiteOffer, service: ComputeService) -> None:
        self._site, self._service = site, service
        self._id = service_id(service)
        self._endpoints = [one.id for one in service.endpoints]

    def service(self) -> Item:
        settings, machines = self._site.settings, self._service.machines
        told = {"site_name": self._site.name}
        if self._service.gocdb_id:
            told = {"gocdb_id": self._service.gocdb_id, **told}
        name = f"Cloud compute service {self._service.name} at {self._site.name}"
        item = self._item(self._id, name, told, {"AdminDomain": [self._site.name]})
        item.update(
            Type=service_type("IaaS"),
            QualityLevel=settings.quality_level,
            StatusInfo=status_page(self._site.name, settings),
            ServiceAUP=_POLICY,
            Complexity=complexity(self._service),
            Capability=list(settings.capabilities),
            **_counted(machines),
        )
        return _told(item)

    def manager(self, manager: Manager) -> Item:
        kinds = [one for one in self._service.instance_types if self._service.manager_of(one) is manager]
        cpu = [one.cpu for one in kinds if one.cpu is not None]
        memory = [one.memory for one in kinds if one.memory is not None]
        item = self._item(manager_id(self._service, manager), None, {}, {"CloudComputingService": [self._id]})
        item.update(
            ProductName=text(manager.product),
            ProductVersion=text(manager.product_version),
            HypervisorName=text(manager.hypervisor),
            HypervisorVersion=text(manager.hypervisor_version),
            TotalCPUs=manager.logical_cpus,
            TotalRAM=manager.memory,
            InstanceMaxCPU=max(cpu, default=None),
            InstanceMinCPU=min(cpu, default=None),
            InstanceMaxRAM=max(memory, default=None),
            InstanceMinRAM=min(memory, default=None),
            NetworkVirtualizationType=text(manager.network_virtualization),
            CPUVirtualizationType=text(manager.cpu_virtualization),
            VirtualDiskFormat=text(manager.disk_format),
            Failover=manager.failover,
            LiveMigration=manager.live_migration,
            VMBackupRestore=manager.backup_restore,
        )
        return _told(item)

    def endpoint(self, endpoint: SiteEndpoint) -> Item:
        name = f"Cloud computing endpoint {endpoint.id}"
        item = self._item(endpoint.id, name, {}, {"CloudComputingService": [self._id]})
        downtime = endpoint.downtime
        item.update(
            URL=safe_url(endpoint.url),
            Capability=list(self._site.settings.capabilities),
            QualityLevel=self._site.settings.quality_level,
            InterfaceName=interface_name(endpoint.interface),
            InterfaceVersion=text(endpoint.version),
            HealthState=endpoint.state.health,
            HealthStateInfo=text(endpoint.state.info),
            ServingState=endpoint.state.serving,
            Technology="webservice",
            Implementor=text(endpoint.implementor),
            ImplementationName=text(endpoint.implementation),
            ImplementationVersion=text(endpoint.implementation_version),
            DowntimeInfo=None
            if downtime is None
            else text(f"{moment(downtime.start)} to {moment(downtime.end)}: {downtime.info}"),
            Semantics=text(next(iter(endpoint.semantics), None)),
            Authentication=text(next(iter(endpoint.authentication), None)),
            IssuerCA=text(endpoint.issuer_ca),
            TrustedCA=[one for one in map(text, endpoint.trusted_cas) if one],
        )
        return _told(item)

    def image(self, image: Image) -> Item:
        told = {"version": text(image.version), "base_mpuri": text(image.base_uri)}
        shown: Tuple[Tuple[str, Optional[int]], ...] = (
            ("min_cpu", image.min_cpu),
            ("recommended_cpu", image.recommended_cpu),
            ("min_ram", image.min_memory),
            ("recommended_ram", image.recommended_memory),
            ("disk", image.disk),
        )
        kept = {key: value for key, value in (*told.items(), *shown) if value is not None}
        item = self._item(image.id, text(image.name), kept, self._beside(image.shares, self._service.managers[:1]))
        item.update(
            MarketplaceURL=text(image.marketplace_uri),
            OSPlatform=text(image.architecture) or "",
            OSName=text(image.os_name) or "",
            OSVersion=text(image.os_version),
            Description=text(image.description),
            AccessInfo=text(image.access_info) or "none",
        )
        return _told(item)

    def instance_type(self, kind: InstanceType) -> Item:
        beside = self._beside(kind.shares, [self._service.manager_of(kind)])
        told = {} if kind.ephemeral is None else {"ephemeral": kind.ephemeral}
        item = self._item(kind.id, text(kind.name), told, beside)
        item.update(
            Platform=text(kind.architecture) or _UNKNOWN,
            CPU=kind.cpu,
            RAM=kind.memory,
            Disk=kind.disk,
            NetworkIn=_UNKNOWN if kind.network_in is None else kind.network_in,
            NetworkOut=_UNKNOWN if kind.network_out is None else kind.network_out,
            NetworkInfo=text(kind.network_info),
        )
        return _told(item)

    def accelerator(self, one: Accelerator, kind: InstanceType) -> Item:
        item = self._item(f"{kind.id}_gpu", f"{text(kind.name) or kind.id}_gpu", {}, {})
        item["Associations"] = {"CloudComputingInstanceType": [kind.id]}
        item.update(
            Type=text(one.type) or _UNKNOWN,
            Number=one.number,
            Vendor=text(one.vendor),
            Model=text(one.model),
            Version=text(one.version),
            ClockSpeed=one.clock_speed,
            Memory=one.memory,
            ComputeCapability=[word for word in map(text, one.compute_capability) if word],
            VirtualizationType=text(one.virtualization),
        )
        return _told(item)

    def share(self, share: Share) -> Item:
        told: Dict[str, object] = {}
        if share.project_name is not None:
            told["project_name"] = text(share.project_name)
        if share.project_domain is not None:
            told["project_domain_name"] = text(share.project_domain)
        quotas = {one.name: one.limit for one in share.quotas if one.limit is not None}
        if quotas:
            told["quotas"] = quotas
        beside = {"CloudComputingService": [self._id], "CloudComputingEndpoint": self._endpoints}
        name = f"{share.vo} - {share.project} share"
        item = self._item(share_id(self._service, share), name, told, beside)
        item.update(
            InstanceMaxCPU=share.max_cpu,
            InstanceMaxRAM=share.max_memory,
            MaxVM=share.max_machines,
            ProjectID=share.project,
            NetworkInfo=text(share.network_info),
            DefaultNetworkType=text(share.default_network_type),
            PublicNetworkName=text(share.public_network),
            **_counted(share.machines or Machines()),
        )
        return _told(item)

    def mapping_policy(self, share: Share) -> Item:
        id_ = share_id(self._service, share)
        beside = {"Share": [id_], "PolicyUserDomain": [share.vo]}
        return {**self._item(identifier(id_, "policy"), None, {}, beside), **_rules((share.vo,))}

    def access_policy(self, endpoint: SiteEndpoint) -> Item:
        beside = {"CloudComputingEndpoint": [endpoint.id]}
        return {**self._item(identifier(endpoint.id, "policy"), None, {}, beside), **_rules(endpoint.vos)}

    def _item(self, id_: str, name: Optional[str], told: object, beside: Dict[str, List[str]]) -> Item:
        return _told(
            {
                "ID": id_,
                "Name": name,
                "CreationTime": moment(self._service.as_of),
                "Validity": self._site.settings.validity,
                "OtherInfo": told,
                "Associations": beside,
            }
        )

    def _beside(self, projects: Optional[Sequence[str]], managers: Iterable[Manager]) -> Dict[str, List[str]]:
        seeing = None if projects is None else tuple(projects)
        shares = [share_id(self._service, one) for one in self._service.shares if sees(one.project, seeing)]
        running = [manager_id(self._service, one) for one in managers]
        return {"Share": shares, "CloudComputingEndpoint": self._endpoints, "CloudComputingManager": running}


def _told(item: Item) -> Item:
    return {key: value for key, value in item.items() if value is not None}


def _rules(vos: Sequence[str]) -> Item:
    return {"Scheme": SCHEME, "Rule": [f"VO:{one}" for one in vos]}


def _counted(machines: Machines) -> Dict[str, Optional[int]]:
    return {
        "TotalVM": machines.total,
        "RunningVM": machines.running,
        "SuspendedVM": machines.suspended,
        "HaltedVM": machines.halted,
    }
