"""The machines of a cloud in GLUE 2.0: manager, sizes, doors, images, and what each VO has of them."""

from __future__ import annotations

from typing import Callable, Iterator, Optional, Tuple

from fedcloud_agent.clouds.offer import Accelerator, Image, InstanceType, Machines, Manager, Share
from fedcloud_agent.infosys.entry import Builder, Entry
from fedcloud_agent.infosys.glue20_service import (
    Frame,
    access_policy,
    dated,
    endpoint_entry,
    mapping_policy,
    rdn_value,
    service_entry,
)
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import ComputeService
from fedcloud_agent.infosys.words import text, word

_PLATFORM = "amd64"
"""Of instance types whose cloud does not tell; the schema wants one."""


def service_id(service: ComputeService) -> str:
    """Return the identifier of a compute service, in the LDAP tree and in the JSON form."""
    return identifier(service.base, "cloud.compute")


def manager_id(service: ComputeService, manager: Manager) -> str:
    """Return the identifier of a manager."""
    return identifier(service.base, "manager", manager.key)


def share_id(service: ComputeService, share: Share) -> str:
    """Return the identifier of a share: a project may serve several VOs."""
    return identifier(service.base, "share", share.vo, share.project)


def type_id(service: ComputeService, kind: InstanceType) -> str:
    """Return the identifier of an instance type in the LDAP tree."""
    return identifier(service.base, "type", kind.id)


def image_id(service: ComputeService, image: Image) -> str:
    """Return the identifier of an image in the LDAP tree."""
    return identifier(service.base, "image", image.id)


def everything(_: object) -> bool:
    """Say yes."""
    return True


def compute_entries(
    service: ComputeService, frame: Frame, wanted: Callable[[object], bool] = everything
) -> Iterator[Entry]:
    """Yield a compute service and all that is below it; keys point backwards only.

    Of what there may be thousands of (instance types, images, shares) only those that are ``wanted``.
    """
    made = _service(service, frame)
    yield made.entry()
    for manager in service.managers:
        yield _manager(service, manager, made, frame)
    accelerators = {one.id: one for one in service.accelerators}
    for kind in filter(wanted, service.instance_types):
        accelerator = accelerators.get(kind.accelerator) if kind.accelerator is not None else None
        yield _instance_type(service, kind, accelerator, made, frame)
    capabilities = frame.settings.capabilities
    for endpoint in service.endpoints:
        classes = ("GLUE2Endpoint", "GLUE2ComputingEndpoint")
        door = endpoint_entry(endpoint, made, classes, capabilities, service.as_of, frame)
        yield door.add("GLUE2ComputingEndpointComputingServiceForeignKey", rdn_value(made)).entry()
        yield access_policy(endpoint, door, service.as_of, frame)
    for image in filter(wanted, service.images):
        yield _image(service, image, made, frame)
    for share in filter(wanted, service.shares):
        below = _share(service, share, made, frame)
        yield below.entry()
        yield mapping_policy(rdn_value(below), share.vo, below, service.as_of, frame)


def _service(service: ComputeService, frame: Frame) -> Builder:
    settings = frame.settings
    classes = ("GLUE2Service", "GLUE2ComputingService")
    made = service_entry(service_id(service), "IaaS", classes, settings.capabilities, service.as_of, frame)
    made.add("GLUE2EntityName", text(f"Cloud compute service {service.name} of {frame.site}"))
    if service.gocdb_id:
        made.add("GLUE2EntityOtherInfo", f"gocdb_id={service.gocdb_id}")
    made.add("GLUE2ServiceComplexity", complexity(service))
    counted = jobs(service.machines)
    for name, value in zip(("Total", "Running", "Waiting", "Suspended"), counted):
        made.add(f"GLUE2ComputingService{name}Jobs", value)
    return made


def complexity(service: ComputeService) -> str:
    """Return how many kinds of doors, shares and sizes a service has."""
    interfaces = len({one.interface for one in service.endpoints})
    return f"endpointType={interfaces},share={len(service.shares)},resource={len(service.instance_types)}"


def jobs(machines: Machines) -> Tuple[Optional[int], Optional[int], Optional[int], Optional[int]]:
    """Return machines as jobs: total, running, waiting, suspended (what is halted but still there counts as that)."""
    resting = [one for one in (machines.suspended, machines.halted) if one is not None]
    return machines.total, machines.running, machines.waiting, sum(resting) if resting else None


def _manager(service: ComputeService, manager: Manager, above: Builder, frame: Frame) -> Entry:
    classes = ("GLUE2Manager", "GLUE2ComputingManager")
    made = Builder(("GLUE2ManagerID", manager_id(service, manager)), above.dn, classes)
    dated(made, service.as_of, frame)
    name = text(manager.hypervisor) or text(manager.product) or text(manager.key) or "unknown"
    version = manager.hypervisor_version if text(manager.hypervisor) else manager.product_version
    made.add("GLUE2ManagerProductName", name).add("GLUE2ManagerProductVersion", text(version))
    made.add("GLUE2ComputingManagerTotalPhysicalCPUs", manager.physical_cpus)
    made.add("GLUE2ComputingManagerTotalLogicalCPUs", manager.logical_cpus)
    made.add("GLUE2ComputingManagerTotalSlots", manager.slots)
    made.add("GLUE2ComputingManagerSlotsUsedByGridJobs", manager.slots_used)
    for key, value in (("hosts", manager.hosts), ("ram", manager.memory), ("ram_used", manager.memory_used)):
        made.add("GLUE2EntityOtherInfo", None if value is None else f"{key}={value}")
    made.add("GLUE2ManagerServiceForeignKey", rdn_value(above))
    return made.add("GLUE2ComputingManagerComputingServiceForeignKey", rdn_value(above)).entry()


def _instance_type(
    service: ComputeService, kind: InstanceType, accelerator: Optional[Accelerator], above: Builder, frame: Frame
) -> Entry:
    manager = service.manager_of(kind)
    environment = "GLUE2ExecutionEnvironment"
    made = Builder(("GLUE2ResourceID", type_id(service, kind)), above.dn, ("GLUE2Resource", environment))
    dated(made, service.as_of, frame).add("GLUE2EntityName", text(kind.name))
    made.add(f"{environment}Platform", word(kind.architecture) or word(manager.architecture) or _PLATFORM)
    made.add(f"{environment}VirtualMachine", True)
    made.add(f"{environment}LogicalCPUs", kind.cpu)
    if kind.cpu:
        made.add(f"{environment}CPUMultiplicity", f"{'single' if kind.cpu == 1 else 'multi'}cpu-singlecore")
    made.add(f"{environment}MainMemorySize", kind.memory).add(f"{environment}VirtualMemorySize", kind.memory)
    made.add(f"{environment}OSFamily", "windows" if "WINDOWS" in frame.settings.operating_system else "linux")
    made.add(f"{environment}OSName", frame.settings.operating_system).add(f"{environment}OSVersion", "any")
    made.add(f"{environment}CPUTimeScalingFactor", 1).add(f"{environment}WallTimeScalingFactor", 1)
    made.add(f"{environment}ConnectivityIn", _known(kind.network_in))
    made.add(f"{environment}ConnectivityOut", _known(kind.network_out))
    for key, value in (("disk", kind.disk), ("ephemeral", kind.ephemeral), ("network", word(kind.network_info))):
        made.add("GLUE2EntityOtherInfo", None if value is None else f"{key}={value}")
    if accelerator is not None:
        words = (accelerator.type, accelerator.number, accelerator.vendor, accelerator.model, accelerator.memory)
        told = ",".join(word(str(one)) or "" if one is not None else "" for one in words)
        made.add("GLUE2EntityOtherInfo", f"accelerator={told}")
    made.add("GLUE2ResourceManagerForeignKey", manager_id(service, manager))
    return made.add(f"{environment}ComputingManagerForeignKey", manager_id(service, manager)).entry()


def _known(value: Optional[bool]) -> object:
    return "undefined" if value is None else value


def _image(service: ComputeService, image: Image, above: Builder, frame: Frame) -> Entry:
    environment = "GLUE2ApplicationEnvironment"
    made = Builder((f"{environment}ID", image_id(service, image)), above.dn, (environment,))
    dated(made, service.as_of, frame)
    made.add(f"{environment}AppName", text(image.name) or text(image.id) or "unnamed")
    made.add(f"{environment}AppVersion", text(image.version))
    made.add(f"{environment}Repository", word(image.marketplace_uri))
    made.add(f"{environment}Description", text(image.description))
    for key, value in (
        ("image_id", image.id),
        ("os_family", image.os_family),
        ("os_name", image.os_name),
        ("os_version", image.os_version),
        ("platform", image.architecture),
        ("min_cpu", image.min_cpu),
        ("recommended_cpu", image.recommended_cpu),
        ("min_ram", image.min_memory),
        ("recommended_ram", image.recommended_memory),
        ("disk", image.disk),
        ("base_mpuri", image.base_uri),
    ):
        told = None if value is None else word(str(value))
        made.add("GLUE2EntityOtherInfo", None if told is None else f"{key}={told}")
    manager = manager_id(service, service.managers[0])
    return made.add(f"{environment}ComputingManagerForeignKey", manager).entry()


def sees(project: str, shares: Optional[Tuple[str, ...]]) -> bool:
    """Tell whether a project is among those that see something; where the cloud does not tell, all do."""
    return shares is None or project in shares


def _share(service: ComputeService, share: Share, above: Builder, frame: Frame) -> Builder:
    made = Builder(("GLUE2ShareID", share_id(service, share)), above.dn, ("GLUE2Share",))
    dated(made, service.as_of, frame)
    made.add("GLUE2EntityName", text(share.project_name))
    made.add("GLUE2ShareDescription", text(share.description) or text(f"Share of {share.vo} in {service.name}"))
    for key, value in (
        ("project_id", share.project),
        ("project_name", share.project_name),
        ("project_domain_name", share.project_domain),
        ("max_vm", share.max_machines),
        ("max_cpu", share.max_cpu),
        ("max_ram", share.max_memory),
    ):
        told = None if value is None else word(str(value))
        made.add("GLUE2EntityOtherInfo", None if told is None else f"{key}={told}")
    for quota in share.quotas:
        if quota.limit is not None:
            made.add("GLUE2EntityOtherInfo", f"quota_{word(quota.name)}={quota.limit}")
        if quota.used is not None:
            made.add("GLUE2EntityOtherInfo", f"used_{word(quota.name)}={quota.used}")
    # Tops of today do not read images as entries of their own, so that each share names those that it sees
    for image in service.images:
        if image.marketplace_uri and sees(share.project, image.shares):
            told = ",".join(word(one) or "" for one in (image.marketplace_uri, image.version, image.id))
            made.add("GLUE2EntityOtherInfo", f"image={told}")
    made.add("GLUE2ShareServiceForeignKey", rdn_value(above))
    made.add("GLUE2ShareEndpointForeignKey", *(one.id for one in service.endpoints))
    resources = (type_id(service, kind) for kind in service.instance_types if sees(share.project, kind.shares))
    return made.add("GLUE2ShareResourceForeignKey", *resources)
