"""The template that oned makes of a request for a machine: disks, network cards and what it adds itself."""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Mapping, Optional, Sequence

from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import Pairs, pairs

_RULES = [
    ("SECURITY_GROUP_RULE", [("PROTOCOL", "ALL"), ("RULE_TYPE", kind), ("SECURITY_GROUP_ID", "0")])
    for kind in ("OUTBOUND", "INBOUND")
]


def furnish(
    profile: Profile,
    key: str,
    size: Mapping[str, str],
    disks: Sequence[Mapping[str, Any]],
    nics: Sequence[Mapping[str, Any]],
    more: Optional[Mapping[str, Any]] = None,
) -> Pairs:
    """Return the TEMPLATE of a machine; ``size`` holds CPU, VCPU (may be missing) and MEMORY."""
    result: Pairs = list(size.items())
    if profile.since(4, 14):
        result.append(("AUTOMATIC_REQUIREMENTS", "(CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES)"))
    if profile.since(5, 0):
        result.append(("AUTOMATIC_DS_REQUIREMENTS", '("CLUSTERS/ID" @> 0)'))
        result += [(name, rule + [("SECURITY_GROUP_NAME", "default")]) for name, rule in _RULES]
    if profile.since(5, 12):
        result += [("AUTOMATIC_NIC_REQUIREMENTS", '("CLUSTERS/ID" @> 0)'), ("TM_MAD_SYSTEM", "ssh")]
    if profile.since(6, 0):
        result.append(("OS", [("UUID", str(uuid.uuid5(uuid.NAMESPACE_OID, key)))]))
    result += [("DISK", _disk(profile, number, disk)) for number, disk in enumerate(disks)]
    result += [("NIC", _nic(profile, key, number, nic)) for number, nic in enumerate(nics)]
    result.append(("VMID", key))
    for name, value in pairs(more or {}):
        result.append((name, value))
    return result


def _disk(profile: Profile, number: int, given: Mapping[str, Any]) -> Pairs:
    row: Dict[str, Any] = {"DISK_ID": number, "TARGET": f"vd{chr(97 + number)}", "TYPE": "FILE"}
    if "IMAGE_ID" in given:
        row.update(CLONE="YES", READONLY="NO", SAVE="NO", DEV_PREFIX="vd")
        if profile.since(3, 4):
            row.update(DATASTORE="default", DATASTORE_ID=1, TM_MAD="ssh")
        if profile.since(4, 14):
            row.update(CLONE_TARGET="SYSTEM", LN_TARGET="NONE", CLUSTER_ID=0, DISK_TYPE="FILE")
        if profile.since(5, 0):
            row.update(ALLOW_ORPHANS="NO", DISK_SNAPSHOT_TOTAL_SIZE=0, IMAGE_STATE=2)
    return pairs({**row, **given})


def _nic(profile: Profile, key: str, number: int, given: Mapping[str, Any]) -> Pairs:
    row: Dict[str, Any] = {"NIC_ID": number, "NETWORK": "private", "NETWORK_ID": 0, "BRIDGE": "br0"}
    if profile.since(4, 14):
        row.update(AR_ID=0, CLUSTER_ID=0, SECURITY_GROUPS=0, TARGET=f"one-{key}-{number}", VN_MAD="bridge")
    if profile.since(5, 8):
        row.update(BRIDGE_TYPE="linux", NAME=f"NIC{number}")
    return pairs({**row, **given})


def address_of(key: int) -> List[Dict[str, str]]:
    """Return the one network card of a machine that nobody asked anything special for."""
    last = f"{key >> 16 & 255}.{key >> 8 & 255}.{key & 255}"
    mac = ":".join(f"{part:02x}" for part in (2, 0, 10, key >> 16 & 255, key >> 8 & 255, key & 255))
    return [{"IP": f"10.{last}", "MAC": mac}]
