"""What runs the machines: the hosts that nova knows, summed up by kind of hypervisor. Pure."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from fedcloud_agent.clouds.offer import Manager
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.row import is_text, text, told_count

PRODUCT = "OpenStack Nova"
_CODED = 1_000_000
"""From here on a hypervisor's version is a number as libvirt codes it: 4.2.1 is 4002001."""


def unseen(version: Optional[str]) -> Manager:
    """Return the manager of a cloud that does not show its hosts to us."""
    return Manager("nova", product=PRODUCT, product_version=version)


def managers(rows: Sequence[Any], version: Optional[str], place: str) -> List[Manager]:
    """Return a manager for each kind of hypervisor and architecture, the one with the most hosts first.

    Hosts that are disabled do not count, as in nova's own sums. ``version`` is that of nova. Raises RemoteDataError,
    naming ``place``: half of the hosts would be a wrong sum.
    """
    kinds: Dict[str, List[Mapping[str, Any]]] = {}
    try:
        for row in rows:
            if row.get("status") == "disabled":
                continue
            hypervisor = text(row, "hypervisor_type")
            words = [hypervisor or "unknown", _told(row, "arch") or ""]
            kinds.setdefault("-".join(filter(None, words)).lower(), []).append(row)
        made = [_manager(key, hosts, version) for key, hosts in kinds.items()]
    except (ValueError, AttributeError) as error:
        raise RemoteDataError(f"{place} lists a host that cannot be read: {error}") from error
    return sorted(made, key=lambda one: (-(one.hosts or 0), one.key))


def _manager(key: str, hosts: Sequence[Mapping[str, Any]], version: Optional[str]) -> Manager:
    numbers = [one for one in (told_count(host, "hypervisor_version") for host in hosts) if one is not None]
    return Manager(
        key=key,
        product=PRODUCT,
        product_version=version,
        hypervisor=text(hosts[0], "hypervisor_type"),
        # while hosts are upgraded one after the other: what all of them have at least
        hypervisor_version=_version(min(numbers)) if numbers else None,
        architecture=_told(hosts[0], "arch"),
        hosts=len(hosts),
        physical_cpus=_sum(hosts, _sockets),
        logical_cpus=_sum(hosts, lambda host: told_count(host, "vcpus")),
        slots_used=_sum(hosts, lambda host: told_count(host, "vcpus_used")),
        memory=_sum(hosts, lambda host: told_count(host, "memory_mb")),
        memory_used=_sum(hosts, lambda host: told_count(host, "memory_mb_used")),
    )


def _sum(hosts: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Optional[int]]) -> Optional[int]:
    """Return a sum over all hosts; None when one of them does not tell."""
    values = [value(host) for host in hosts]
    return None if None in values else sum(one for one in values if one is not None)


def _version(number: int) -> str:
    if number < _CODED:
        return str(number)
    return f"{number // _CODED}.{number // 1000 % 1000}.{number % 1000}"


def _cpu(host: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a host tells of its processors: an object, or before 2.28 a text that holds one."""
    told = host.get("cpu_info")
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):
            return {}
    return told if isinstance(told, dict) else {}


def _told(host: Mapping[str, Any], key: str) -> Optional[str]:
    value = _cpu(host).get(key)
    return str(value) if value and is_text(value) else None


def _sockets(host: Mapping[str, Any]) -> Optional[int]:
    """Return how many processors a host has; libvirt counts the sockets of one NUMA cell."""
    topology = _cpu(host).get("topology")
    if not isinstance(topology, dict):
        return None
    sockets, cells = told_count(topology, "sockets"), told_count(topology, "cells")
    return sockets if sockets is None or cells is None else sockets * max(1, cells)
