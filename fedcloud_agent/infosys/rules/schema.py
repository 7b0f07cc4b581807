"""What GLUE20.schema and the EGI profile say of the classes that a cloud site publishes."""

from __future__ import annotations

from typing import Dict, Tuple

E = "GLUE2ExecutionEnvironment"
A = "GLUE2ApplicationEnvironment"

MUST: Dict[str, Tuple[str, ...]] = {
    "GLUE2Group": ("GLUE2GroupID",),
    "GLUE2Domain": ("GLUE2DomainID",),
    "GLUE2Location": ("GLUE2LocationID",),
    "GLUE2Contact": ("GLUE2ContactID", "GLUE2ContactDetail", "GLUE2ContactType"),
    "GLUE2Service": (
        *("GLUE2ServiceID", "GLUE2ServiceType", "GLUE2ServiceQualityLevel"),
        "GLUE2ServiceAdminDomainForeignKey",
    ),
    "GLUE2Endpoint": (
        *("GLUE2EndpointID", "GLUE2EndpointURL", "GLUE2EndpointInterfaceName", "GLUE2EndpointQualityLevel"),
        *("GLUE2EndpointHealthState", "GLUE2EndpointServingState", "GLUE2EndpointServiceForeignKey"),
    ),
    "GLUE2Share": ("GLUE2ShareID", "GLUE2ShareServiceForeignKey"),
    "GLUE2Manager": ("GLUE2ManagerID", "GLUE2ManagerProductName", "GLUE2ManagerServiceForeignKey"),
    "GLUE2Resource": ("GLUE2ResourceID", "GLUE2ResourceManagerForeignKey"),
    "GLUE2Policy": ("GLUE2PolicyID", "GLUE2PolicyScheme", "GLUE2PolicyRule"),
    "GLUE2AccessPolicy": ("GLUE2AccessPolicyEndpointForeignKey",),
    "GLUE2MappingPolicy": ("GLUE2MappingPolicyShareForeignKey",),
    E: tuple(f"{E}{name}" for name in ("Platform", "MainMemorySize", "OSFamily", "ConnectivityIn", "ConnectivityOut")),
    A: tuple(f"{A}{name}" for name in ("ID", "AppName", "ComputingManagerForeignKey")),
    "GLUE2StorageAccessProtocol": tuple(
        f"GLUE2StorageAccessProtocol{name}" for name in ("ID", "Type", "Version", "StorageServiceForeignKey")
    ),
    "GLUE2StorageServiceCapacity": tuple(
        f"GLUE2StorageServiceCapacity{name}" for name in ("ID", "Type", "StorageServiceForeignKey")
    ),
}
"""Without these slapd refuses an entry of the class."""

MANDATORY: Dict[str, Tuple[str, ...]] = {
    "GLUE2Endpoint": ("GLUE2EndpointImplementationName", "GLUE2EndpointImplementationVersion"),
    "GLUE2Manager": ("GLUE2ManagerProductVersion",),
    "GLUE2ComputingManager": tuple(
        f"GLUE2ComputingManager{name}"
        for name in ("TotalPhysicalCPUs", "TotalLogicalCPUs", "ComputingServiceForeignKey")
    ),
    E: tuple(
        f"{E}{name}"
        for name in (
            *("VirtualMemorySize", "OSName", "OSVersion", "CPUTimeScalingFactor", "WallTimeScalingFactor"),
            "ComputingManagerForeignKey",
        )
    ),
    "GLUE2StorageServiceCapacity": ("GLUE2StorageServiceCapacityTotalSize",),
}
"""The EGI profile wants them (W034)."""

RECOMMENDED: Dict[str, Tuple[str, ...]] = {
    "GLUE2Location": ("GLUE2LocationCountry", "GLUE2LocationLatitude", "GLUE2LocationLongitude"),
    "GLUE2Service": ("GLUE2ServiceCapability",),
    "GLUE2ComputingService": tuple(f"GLUE2ComputingService{name}Jobs" for name in ("Total", "Running", "Waiting")),
    "GLUE2Endpoint": ("GLUE2EndpointCapability", "GLUE2EndpointInterfaceVersion", "GLUE2EndpointIssuerCA"),
    "GLUE2Policy": ("GLUE2PolicyUserDomainForeignKey",),
    "GLUE2ComputingManager": ("GLUE2ComputingManagerTotalSlots", "GLUE2ComputingManagerSlotsUsedByGridJobs"),
    E: tuple(
        f"{E}{name}"
        for name in (
            *("LogicalCPUs", "PhysicalCPUs", "TotalInstances", "CPUMultiplicity", "CPUVendor", "CPUModel"),
            *("CPUVersion", "CPUClockSpeed"),
        )
    ),
    "GLUE2StorageServiceCapacity": tuple(f"GLUE2StorageServiceCapacity{n}Size" for n in ("Free", "Used", "Reserved")),
}
"""The EGI profile would like them (I095)."""

CLASSES = frozenset(
    {
        *MUST,
        *("GLUE2AdminDomain", "GLUE2UserDomain", "GLUE2Extension", "GLUE2Activity", "GLUE2Benchmark"),
        *("GLUE2ComputingService", "GLUE2ComputingEndpoint", "GLUE2ComputingShare", "GLUE2ComputingManager"),
        *("GLUE2ComputingActivity", "GLUE2ApplicationHandle", "GLUE2ToStorageService", "GLUE2ToComputingService"),
        *("GLUE2StorageService", "GLUE2StorageEndpoint", "GLUE2StorageShare", "GLUE2StorageManager"),
        *("GLUE2StorageShareCapacity", "GLUE2DataStore"),
    }
)
"""Every class that an entry may name. The abstract GLUE2Entity and ``top`` are not among them."""

PLAIN = frozenset({"GLUE2Group", "GLUE2Extension", "GLUE2AccessPolicy", "GLUE2MappingPolicy"})
"""Classes that are no entities by themselves."""

SEVERAL = frozenset(
    {
        *("objectClass", "GLUE2EntityOtherInfo", "GLUE2DomainWWW", "GLUE2AdminDomainOwner", "GLUE2ServiceCapability"),
        *("GLUE2ServiceStatusInfo", "GLUE2EndpointCapability", "GLUE2EndpointSupportedProfile"),
        *("GLUE2EndpointSemantics", "GLUE2EndpointTrustedCA", "GLUE2PolicyRule", "GLUE2PolicyUserDomainForeignKey"),
        *("GLUE2ShareEndpointForeignKey", "GLUE2ShareResourceForeignKey", "GLUE2AccessPolicyEndpointForeignKey"),
        *("GLUE2MappingPolicyShareForeignKey", "GLUE2ComputingManagerNetworkInfo", f"{E}NetworkInfo"),
        f"{A}ExecutionEnvironmentForeignKey",
    }
)
"""Attributes of which slapd takes several values."""

INTEGERS = frozenset(
    {
        "GLUE2EntityValidity",
        *(f"GLUE2ComputingService{n}Jobs" for n in ("Total", "Running", "Waiting", "Staging", "Suspended")),
        *(f"GLUE2ComputingManagerTotal{n}" for n in ("PhysicalCPUs", "LogicalCPUs", "Slots")),
        *(f"GLUE2ComputingManagerSlotsUsedBy{n}Jobs" for n in ("Local", "Grid")),
        *(f"{E}{n}" for n in ("LogicalCPUs", "PhysicalCPUs", "MainMemorySize", "VirtualMemorySize", "CPUClockSpeed")),
        *(f"{E}{n}Instances" for n in ("Total", "Used", "Unavailable")),
        *(f"GLUE2StorageServiceCapacity{n}Size" for n in ("Total", "Free", "Used", "Reserved")),
    }
)
