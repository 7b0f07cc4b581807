"""Which attributes name an entry, which refer to another one, and which entries need a companion."""

from __future__ import annotations

from typing import Dict, FrozenSet, NamedTuple, Optional, Tuple

from fedcloud_agent.infosys.rules.schema import A as APPLICATION
from fedcloud_agent.infosys.rules.schema import E as ENVIRONMENT

IDS = frozenset(
    {
        *("GLUE2DomainID", "GLUE2LocationID", "GLUE2ContactID", "GLUE2ServiceID", "GLUE2EndpointID", "GLUE2ShareID"),
        *("GLUE2ManagerID", "GLUE2ResourceID", "GLUE2PolicyID", f"{APPLICATION}ID"),
        *("GLUE2StorageAccessProtocolID", "GLUE2StorageServiceCapacityID"),
    }
)
"""Each names an entry within the whole tree. Groups are no entities: there may be many of a name."""

KEYS: Dict[str, str] = {
    "GLUE2LocationDomainForeignKey": "GLUE2DomainID",
    "GLUE2ContactDomainForeignKey": "GLUE2DomainID",
    "GLUE2ServiceAdminDomainForeignKey": "GLUE2DomainID",
    "GLUE2EndpointServiceForeignKey": "GLUE2ServiceID",
    "GLUE2ShareServiceForeignKey": "GLUE2ServiceID",
    "GLUE2ManagerServiceForeignKey": "GLUE2ServiceID",
    "GLUE2ComputingEndpointComputingServiceForeignKey": "GLUE2ServiceID",
    "GLUE2ComputingManagerComputingServiceForeignKey": "GLUE2ServiceID",
    "GLUE2StorageEndpointStorageServiceForeignKey": "GLUE2ServiceID",
    "GLUE2StorageManagerStorageServiceForeignKey": "GLUE2ServiceID",
    "GLUE2StorageAccessProtocolStorageServiceForeignKey": "GLUE2ServiceID",
    "GLUE2StorageServiceCapacityStorageServiceForeignKey": "GLUE2ServiceID",
    "GLUE2ResourceManagerForeignKey": "GLUE2ManagerID",
    f"{ENVIRONMENT}ComputingManagerForeignKey": "GLUE2ManagerID",
    f"{APPLICATION}ComputingManagerForeignKey": "GLUE2ManagerID",
    "GLUE2AccessPolicyEndpointForeignKey": "GLUE2EndpointID",
    "GLUE2MappingPolicyShareForeignKey": "GLUE2ShareID",
}
"""An entry cannot be without what these name."""

OF_DOMAIN = frozenset(name for name, target in KEYS.items() if target == "GLUE2DomainID")
"""Those that have to say the domain that the DN says."""

LISTS: Dict[str, str] = {
    "GLUE2ShareEndpointForeignKey": "GLUE2EndpointID",
    "GLUE2ShareResourceForeignKey": "GLUE2ResourceID",
    f"{APPLICATION}ExecutionEnvironmentForeignKey": "GLUE2ResourceID",
}
"""Of these an entry may lose a value and still be worth publishing."""


class Companion(NamedTuple):
    """What has to be there beside each entry of a class (E025)."""

    of: str
    """The companion's class."""
    by: Optional[str]
    """The companion's attribute that names the entry; None: any one in the tree will do."""


COMPANIONS: Dict[str, Tuple[Companion, ...]] = {
    "GLUE2AdminDomain": (
        Companion("GLUE2Location", "GLUE2LocationDomainForeignKey"),
        Companion("GLUE2Contact", "GLUE2ContactDomainForeignKey"),
    ),
    "GLUE2Endpoint": (Companion("GLUE2AccessPolicy", "GLUE2AccessPolicyEndpointForeignKey"),),
    "GLUE2Share": (Companion("GLUE2MappingPolicy", "GLUE2MappingPolicyShareForeignKey"),),
    "GLUE2ComputingService": (Companion("GLUE2ComputingManager", "GLUE2ComputingManagerComputingServiceForeignKey"),),
    "GLUE2ComputingManager": (Companion(ENVIRONMENT, None),),
    "GLUE2StorageService": (
        Companion("GLUE2StorageAccessProtocol", "GLUE2StorageAccessProtocolStorageServiceForeignKey"),
    ),
}

SERVES: Dict[str, FrozenSet[Optional[str]]] = {
    kind: frozenset(one.by for companions in COMPANIONS.values() for one in companions if one.of == kind)
    for kind in {one.of for companions in COMPANIONS.values() for one in companions}
}
"""For each class of companions, the attributes by which one says whom it serves."""

PARENT_CLASSES: Dict[str, str] = {
    "GLUE2AdminDomain": "GLUE2Domain",
    "GLUE2ComputingService": "GLUE2Service",
    "GLUE2StorageService": "GLUE2Service",
    "GLUE2ComputingEndpoint": "GLUE2Endpoint",
    "GLUE2StorageEndpoint": "GLUE2Endpoint",
    "GLUE2ComputingManager": "GLUE2Manager",
    "GLUE2StorageManager": "GLUE2Manager",
    "GLUE2ComputingShare": "GLUE2Share",
    "GLUE2StorageShare": "GLUE2Share",
    "GLUE2AccessPolicy": "GLUE2Policy",
    "GLUE2MappingPolicy": "GLUE2Policy",
    ENVIRONMENT: "GLUE2Resource",
}
"""slapd does not add the class that one is made of, and readers look for it (E025)."""
