"""Space for data in GLUE 2.0: a service, its doors, its protocol, its size."""

from __future__ import annotations

from typing import Iterator

from fedcloud_agent.infosys.entry import Builder, Entry
from fedcloud_agent.infosys.glue20_service import Frame, access_policy, dated, endpoint_entry, rdn_value, service_entry
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import StorageService
from fedcloud_agent.infosys.words import text, word

_CAPABILITIES = ("data.management.storage",)
_INEXACT = 0.005
"""How far the parts of a capacity may be from their sum before readers call it wrong."""


def storage_id(service: StorageService) -> str:
    """Return the identifier of a storage service."""
    return identifier(service.base, "cloud.storage")


def storage_entries(service: StorageService, frame: Frame) -> Iterator[Entry]:
    """Yield a storage service and all that is below it; keys point backwards only."""
    classes = ("GLUE2Service", "GLUE2StorageService")
    id_ = storage_id(service)
    made = service_entry(id_, "STaaS", classes, _CAPABILITIES, service.as_of, frame)
    made.add("GLUE2EntityName", text(f"Cloud storage service {service.name} of {frame.site}"))
    yield made.entry()
    manager = Builder(
        ("GLUE2ManagerID", identifier(service.base, "manager")), made.dn, ("GLUE2Manager", "GLUE2StorageManager")
    )
    dated(manager, service.as_of, frame).add("GLUE2ManagerProductName", text(service.product) or "unknown")
    manager.add("GLUE2ManagerServiceForeignKey", id_)
    yield manager.add("GLUE2StorageManagerStorageServiceForeignKey", id_).entry()
    for endpoint in service.endpoints:
        doors = ("GLUE2Endpoint", "GLUE2StorageEndpoint")
        door = endpoint_entry(endpoint, made, doors, _CAPABILITIES, service.as_of, frame)
        yield door.add("GLUE2StorageEndpointStorageServiceForeignKey", id_).entry()
        yield access_policy(endpoint, door, service.as_of, frame)
    for protocol, version in service.protocols:
        kind = "GLUE2StorageAccessProtocol"
        below = Builder((f"{kind}ID", identifier(service.base, "protocol", protocol)), made.dn, (kind,))
        dated(below, service.as_of, frame).add(f"{kind}Type", word(protocol)).add(
            f"{kind}Version", word(version) or "unknown"
        )
        yield below.add(f"{kind}StorageServiceForeignKey", id_).entry()
    if service.total is not None:
        yield _capacity(service, made, frame)


def _capacity(service: StorageService, above: Builder, frame: Frame) -> Entry:
    kind = "GLUE2StorageServiceCapacity"
    made = Builder((f"{kind}ID", identifier(service.base, "capacity")), above.dn, (kind,))
    dated(made, service.as_of, frame).add(f"{kind}Type", "online").add(f"{kind}TotalSize", service.total)
    if adds_up(service):
        for name, value in (("Free", service.free), ("Used", service.used), ("Reserved", service.reserved)):
            made.add(f"{kind}{name}Size", value)
    return made.add(f"{kind}StorageServiceForeignKey", rdn_value(above)).entry()


def adds_up(service: StorageService) -> bool:
    """Tell whether used, free and reserved are the whole, and so may be shown beside it."""
    parts = [one for one in (service.used, service.free, service.reserved) if one is not None]
    total = service.total or 0
    whole = service.used is not None and service.free is not None and all(0 <= one <= total for one in parts)
    return whole and abs(sum(parts) - total) <= _INEXACT * total
