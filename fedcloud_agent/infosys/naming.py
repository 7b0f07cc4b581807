"""What services and interfaces are called: by clouds from the start, and in the registry of the federation."""

from __future__ import annotations

from typing import Dict

from fedcloud_agent.infosys.settings import REGISTRY

_INTERFACES: Dict[str, str] = {
    "OpenStack": "org.openstack.nova",
    "OpenNebula": "org.opennebula.compute",
    "OCCI": "eu.egi.cloud.vm-management.occi",
    "CDMI": "eu.egi.cloud.storage-management.cdmi",
    "Swift": "org.openstack.swift",
}
_SERVICES: Dict[str, str] = {"IaaS": "org.cloud.iaas"}


def interface_name(word: str, naming: str = REGISTRY) -> str:
    """Return the name of an interface: as it is, or as the registry has it; one that is not known stays as it is."""
    return _INTERFACES.get(word, word) if naming == REGISTRY else word


def service_type(word: str, naming: str = REGISTRY) -> str:
    """Return the type of a service: ``IaaS`` and ``STaaS``, or as the registry has it."""
    return _SERVICES.get(word, word) if naming == REGISTRY else word
