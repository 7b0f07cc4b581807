"""What nova tells of hosts, limits and quotas: which keys there are depends on the microversion."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

from tests.federation.openstack import listing
from tests.federation.openstack.fleet import Fleet, Server
from tests.federation.openstack.identity import Token
from tests.federation.openstack.inventory import Capacity, Hypervisor
from tests.federation.openstack.wire import Request

_UNLIMITED = -1
_GONE_SINCE = 88
"""From this microversion on hosts are told without sizes, and there are no sums."""


def _used(fleet: Fleet, project: str) -> Dict[str, int]:
    servers = [s for s in fleet.servers.values() if s.project_id == project and not s.deleted]
    return {
        "instances": len(servers),
        "cores": sum(server.flavor.vcpus for server in servers),
        "ram": sum(server.flavor.ram for server in servers),
    }


def limits(capacity: Capacity, fleet: Fleet, token: Token, version: int) -> Any:
    """Return the limits of the token's project."""
    project = token.project.id if token.project is not None else ""
    quota, used = capacity.quotas.get(project, {}), _used(fleet, project)
    absolute: Dict[str, int] = {
        "maxTotalInstances": quota.get("instances", _UNLIMITED),
        "maxTotalCores": quota.get("cores", _UNLIMITED),
        "maxTotalRAMSize": quota.get("ram", _UNLIMITED),
        "maxServerMeta": 128,
        "maxTotalKeypairs": 100,
        "maxServerGroups": 10,
        "maxServerGroupMembers": 10,
        "totalRAMUsed": used["ram"],
        "totalCoresUsed": used["cores"],
        "totalInstancesUsed": used["instances"],
        "totalServerGroupsUsed": 0,
    }
    if version < 57:
        absolute.update(maxPersonality=5, maxPersonalitySize=10240)
    if version < 39:
        absolute["maxImageMeta"] = 128
    if version < 36:
        proxied = ("maxTotalFloatingIps", "maxSecurityGroups", "maxSecurityGroupRules")
        absolute.update(dict.fromkeys(proxied, _UNLIMITED), totalFloatingIpsUsed=0, totalSecurityGroupsUsed=0)
    return {"limits": {"rate": [], "absolute": absolute}}


def quota_set(capacity: Capacity, fleet: Fleet, token: Token, project: str, detail: bool) -> Any:
    """Return the quota of a project, with what is used. Raises RefusedError."""
    own = token.project is not None and token.project.id == project
    if not (token.is_admin or own):
        rule = "detail" if detail else "show"
        raise listing.RefusedError(403, f"Policy doesn't allow os_compute_api:os-quota-sets:{rule} to be performed.")
    quota, used = capacity.quotas.get(project, {}), _used(fleet, project)
    others = {"key_pairs": 100, "metadata_items": 128, "server_group_members": 10, "server_groups": 10}
    whole = {**{name: quota.get(name, _UNLIMITED) for name in ("cores", "instances", "ram")}, **others}
    if detail:
        shown: Dict[str, Any] = {
            name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0} for name, limit in whole.items()
        }
    else:
        shown = dict(whole)
    return {"quota_set": {"id": project, **shown}}


def hypervisors(
    capacity: Capacity, fleet: Fleet, request: Request, token: Token, version: int
) -> Tuple[List[Dict[str, Any]], Optional[str]]:
    """Return the hosts of a page, and the last one of a full page. Raises RefusedError."""
    _administrators_only(token, "list-detail")
    found = sorted(capacity.hypervisors.values(), key=lambda host: host.serial)
    if version < 33:
        return [_host(host, fleet, version) for host in found], None
    listing.check_limit(request)
    marker = request.first("marker")
    if marker is not None:
        places = [place for place, host in enumerate(found) if marker == _id(host, version)]
        if not places:
            raise listing.RefusedError(400, f"marker [{marker}] not found")
        found = found[places[0] + 1 :]
    limit = listing.limit(request)
    rows = [_host(host, fleet, version) for host in found[:limit]]
    return rows, str(rows[-1]["id"]) if rows and len(rows) == limit else None


def statistics(capacity: Capacity, fleet: Fleet, token: Token, version: int) -> Any:
    """Return the sums over all hosts. Raises RefusedError."""
    if version >= _GONE_SINCE:
        raise listing.RefusedError(404, "The resource could not be found.")
    _administrators_only(token, "statistics")
    rows = [_host(host, fleet, version) for host in capacity.hypervisors.values() if host.status == "enabled"]
    names = (
        "vcpus memory_mb local_gb vcpus_used memory_mb_used local_gb_used free_ram_mb free_disk_gb current_workload "
        "running_vms disk_available_least"
    ).split()
    return {"hypervisor_statistics": {"count": len(rows), **{name: sum(row[name] for row in rows) for name in names}}}


def _administrators_only(token: Token, rule: str) -> None:
    if not token.is_admin:
        raise listing.RefusedError(403, f"Policy doesn't allow os_compute_api:os-hypervisors:{rule} to be performed.")


def _id(host: Hypervisor, version: int) -> str:
    return host.id if version >= 53 else str(host.serial)


def _host(host: Hypervisor, fleet: Fleet, version: int) -> Dict[str, Any]:
    identity: Any = host.id if version >= 53 else host.serial
    document: Dict[str, Any] = {
        "id": identity,
        "hypervisor_hostname": host.name,
        "state": host.state,
        "status": host.status,
        "hypervisor_type": host.kind,
        "hypervisor_version": host.version,
        "host_ip": host.address,
        "service": {"id": host.service_id or identity, "host": host.name, "disabled_reason": None},
    }
    if version >= _GONE_SINCE:
        document["uptime"] = None
        return document
    servers: List[Server] = [s for s in fleet.servers.values() if s.host == host.name and not s.deleted]
    cpus, memory = sum(s.flavor.vcpus for s in servers), sum(s.flavor.ram for s in servers)
    disk = sum(s.flavor.disk + s.flavor.ephemeral for s in servers)
    document.update(
        vcpus=host.vcpus,
        memory_mb=host.memory,
        local_gb=host.disk,
        vcpus_used=cpus,
        memory_mb_used=memory,
        local_gb_used=disk,
        free_ram_mb=host.memory - memory,
        free_disk_gb=host.disk - disk,
        current_workload=0,
        running_vms=len(servers),
        disk_available_least=0,
        cpu_info=host.cpu_info if version >= 28 else json.dumps(host.cpu_info),
    )
    return document
