"""A server and a flavor as nova shows them: which keys there are depends on microversion and caller."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Any, Dict, NamedTuple

from tests.federation.openstack.clock import microseconds_text, seconds_text
from tests.federation.openstack.fleet import Server
from tests.federation.openstack.inventory import Flavor
from tests.federation.openstack.wire import encode

# The microversions (their second number) at which a row changes; those between two show the same keys.
_STEPS = (1, 3, 9, 16, 19, 26, 47, 63, 69, 71, 73, 90)
_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
_NO_HOSTNAME = re.compile("[^a-z0-9]")


class View(NamedTuple):
    """How servers are shown: ``version`` is the second number of the microversion; ``single`` for GET by id."""

    version: int
    admin: bool
    detail: bool = True
    single: bool = False

    def key(self) -> Any:
        """Return what views that show the same have in common."""
        return (max(step for step in _STEPS if step <= self.version), self.admin, self.detail, self.single)


def rendered(server: Server, view: View, key: Any, base: str) -> bytes:
    """Return a server as bytes; the last view of each is kept, since listings ask for the same again and again."""
    kept = server.rendered
    if kept is not None and kept[0] == key:
        return kept[1]
    body = encode(server_document(server, view, base))
    server.rendered = (key, body)
    return body


def links(kind: str, key: str, base: str) -> Any:
    """Return the links of an object of the compute service, whose root is ``base``."""
    return [
        {"rel": "self", "href": f"{base}/v2.1/{kind}/{key}"},
        {"rel": "bookmark", "href": f"{base}/{kind}/{key}"},
    ]


def server_document(server: Server, view: View, base: str) -> Dict[str, Any]:
    """Return a server as it is shown in a list or alone."""
    if not view.detail:
        return {"id": server.id, "name": server.name, "links": links("servers", server.id, base)}
    version, status = view.version, server.status
    document: Dict[str, Any] = {
        "id": server.id,
        "name": server.name,
        "status": status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": server.metadata,
        "hostId": _host_id(server),
        "image": _image(server, base),
        "flavor": _flavor(server.flavor, version, base),
        "created": seconds_text(server.created),
        "updated": seconds_text(server.updated),
        "addresses": server.addresses,
        "accessIPv4": "",
        "accessIPv6": "",
        "links": links("servers", server.id, base),
        "OS-DCF:diskConfig": "MANUAL",
    }
    if status in _PROGRESS:
        document["progress"] = 0
    document["OS-EXT-AZ:availability_zone"] = server.zone if server.host or server.vm_state == "building" else ""
    document["config_drive"] = ""
    document["key_name"] = server.key_name
    document["OS-SRV-USG:launched_at"] = None if server.launched is None else microseconds_text(server.launched)
    document["OS-SRV-USG:terminated_at"] = None if server.terminated is None else microseconds_text(server.terminated)
    if view.admin:
        _add_host(document, server, version)
    elif version >= 90:
        document["OS-EXT-SRV-ATTR:hostname"] = _hostname(server)
    document["OS-EXT-STS:task_state"] = server.task_state
    document["OS-EXT-STS:vm_state"] = server.vm_state
    document["OS-EXT-STS:power_state"] = server.power_state
    attached = {"delete_on_termination": False} if version >= 3 else {}
    document["os-extended-volumes:volumes_attached"] = [{"id": volume, **attached} for volume in server.volumes]
    _add_later(document, server, version)
    if view.admin and version >= 16:
        document["host_status"] = "UP" if server.host and not server.deleted else ""
    if server.launched is not None and not server.deleted:
        document["security_groups"] = [{"name": "default"}]
    if view.single:
        _add_single(document, server, version, status)
    return document


def partial_document(server: Server, view: View, base: str) -> Dict[str, Any]:
    """Return what nova can tell of a server whose cell does not answer."""
    document: Dict[str, Any] = {"id": server.id, "status": "UNKNOWN", "links": links("servers", server.id, base)}
    if view.detail:
        document.update(tenant_id=server.project_id, created=seconds_text(server.created))
    if view.single:
        document.update(user_id=server.user_id, image=_image(server, base))
        document["flavor"] = _flavor(server.flavor, view.version, base)
        document["OS-EXT-AZ:availability_zone"] = "UNKNOWN"
        document["OS-EXT-STS:power_state"] = 0
        if view.version >= 71:
            document["server_groups"] = []
    return document


def flavor_document(flavor: Flavor, version: int, base: str, detail: bool = True) -> Dict[str, Any]:
    """Return a flavor as the list of flavors shows it."""
    document: Dict[str, Any] = {"id": flavor.id, "name": flavor.name}
    if detail:
        document["ram"] = flavor.ram
        document["disk"] = flavor.disk
        document["swap"] = flavor.swap or ("" if version < 75 else 0)
        document["OS-FLV-EXT-DATA:ephemeral"] = flavor.ephemeral
        document["OS-FLV-DISABLED:disabled"] = False
        document["vcpus"] = flavor.vcpus
        document["os-flavor-access:is_public"] = flavor.is_public
        document["rxtx_factor"] = 1.0
    document["links"] = links("flavors", flavor.id, base)
    if version >= 55:
        document["description"] = flavor.description
    if version >= 61 and detail:
        document["extra_specs"] = flavor.extra_specs
    return document


def _add_host(document: Dict[str, Any], server: Server, version: int) -> None:
    document["OS-EXT-SRV-ATTR:host"] = server.host
    document["OS-EXT-SRV-ATTR:instance_name"] = f"instance-{server.serial:08x}"
    document["OS-EXT-SRV-ATTR:hypervisor_hostname"] = server.host
    if version >= 3:
        document["OS-EXT-SRV-ATTR:reservation_id"] = "r-" + server.id[:8]
        document["OS-EXT-SRV-ATTR:launch_index"] = 0
        document["OS-EXT-SRV-ATTR:hostname"] = _hostname(server)
        document["OS-EXT-SRV-ATTR:kernel_id"] = ""
        document["OS-EXT-SRV-ATTR:ramdisk_id"] = ""
        document["OS-EXT-SRV-ATTR:root_device_name"] = None if server.launched is None else "/dev/sda"
        document["OS-EXT-SRV-ATTR:user_data"] = server.user_data


def _add_later(document: Dict[str, Any], server: Server, version: int) -> None:
    if version >= 9:
        document["locked"] = server.locked
    if version >= 73:
        document["locked_reason"] = None
    if version >= 19:
        document["description"] = None
    if version >= 26:
        document["tags"] = []
    if version >= 63:
        document["trusted_image_certificates"] = None


def _add_single(document: Dict[str, Any], server: Server, version: int, status: str) -> None:
    if status in ("ERROR", "DELETED") and server.fault is not None:
        instant, message = server.fault
        fault = {"code": 500, "created": seconds_text(instant), "message": message, "details": "Traceback"}
        document["fault"] = fault
    if version >= 71:
        document["server_groups"] = []


def _flavor(flavor: Flavor, version: int, base: str) -> Dict[str, Any]:
    if version < 47:
        return {"id": flavor.id, "links": [{"rel": "bookmark", "href": f"{base}/flavors/{flavor.id}"}]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "original_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def _image(server: Server, base: str) -> Any:
    if server.image_id is None:
        return ""
    return {"id": server.image_id, "links": [{"rel": "bookmark", "href": f"{base}/images/{server.image_id}"}]}


def _host_id(server: Server) -> str:
    return _hashed(server.project_id + server.host) if server.host else ""


@functools.lru_cache(maxsize=4096)
def _hashed(text: str) -> str:
    return hashlib.sha224(text.encode()).hexdigest()


def _hostname(server: Server) -> str:
    return _NO_HOSTNAME.sub("-", server.name.lower())[:63]
