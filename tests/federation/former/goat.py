"""goat-one 1.0 with its server: every machine, at every run under another name."""

from __future__ import annotations

import random
import uuid
from typing import Dict, List, Optional
from xml.etree.ElementTree import Element

from tests.federation.former.pool import Pool, number, ran, text
from tests.federation.opennebula import OnedSimulator

_STATES = "INIT PENDING HOLD ACTIVE STOPPED SUSPENDED DONE FAILED POWEROFF UNDEPLOYED CLONING CLONING_FAILURE".split()
_NULL = "NULL"


class Goat:
    """goat without a period: with one it leaves out what lives, since that has no end."""

    def __init__(self, oned: OnedSimulator, site: str, service: Optional[str] = None) -> None:
        self.pool = Pool(oned)
        self.site, self.service = site, service
        self._names = random.Random(42)

    def run(self, now: int) -> List[str]:
        """Report everything, as new."""
        users = self.pool.table("user", "TEMPLATE/IDENTITY")
        images = self.pool.table("image", "TEMPLATE/CLOUDKEEPER_APPLIANCE_MPURI")
        text = "\n\nAPEL-cloud-message: v0.4\n"
        for vm in self.pool.machines():
            fields = self._fields(vm, now, users, images)
            text += " \n" + "".join(f"{key}: {value}\n" for key, value in fields.items()) + "%%\n"
        return [text]

    def _fields(self, vm: Element, now: int, users: Dict[str, str], images: Dict[str, str]) -> Dict[str, object]:
        start, end, wall = number(vm, "STIME"), number(vm, "ETIME"), ran(vm, now)
        disk = vm.find("TEMPLATE/DISK")
        image = text(disk, "IMAGE_ID") if disk is not None else None
        return {
            "VMUUID": uuid.UUID(int=self._names.getrandbits(128), version=4),
            "SiteName": self.site,
            "CloudComputeService": self.service or _NULL,
            "MachineName": text(vm, "DEPLOY_ID") or _NULL,
            "LocalUserId": text(vm, "UID") or _NULL,
            "LocalGroupId": text(vm, "GID") or _NULL,
            "GlobalUserName": users.get(text(vm, "UID") or "", _NULL),
            "FQAN": f"/{text(vm, 'GNAME')}/Role=NULL/Capability=NULL",
            "Status": _STATES[number(vm, "STATE")],
            "StartTime": start,
            "EndTime": end or _NULL,
            "SuspendDuration": end - start - wall if end else _NULL,
            "WallDuration": wall,
            "CpuDuration": wall,
            "CpuCount": number(vm, "TEMPLATE/VCPU"),
            "NetworkType": _NULL,
            # bytes, and the wrong way round
            "NetworkInbound": number(vm, "MONITORING/NETTX"),
            "NetworkOutbound": number(vm, "MONITORING/NETRX"),
            "PublicIPCount": 0,
            "Memory": number(vm, "TEMPLATE/MEMORY"),
            "Disk": sum(number(one, "SIZE") for one in vm.findall("TEMPLATE/DISK")),
            "StorageRecordId": _NULL,
            "ImageId": images.get(image or "", _NULL),
            "CloudType": "OpenNebula",
            "BenchmarkType": _NULL,
            "Benchmark": _NULL,
        }
