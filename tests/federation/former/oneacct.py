"""oneacct-export 0.4: all machines but those that ended long ago, each night."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Dict, List, Mapping, Optional
from xml.etree.ElementTree import Element

from tests.federation.former.pool import DONE, Pool, histories, number, ran, text
from tests.federation.opennebula import OnedSimulator

DAY = 86400
GIBIBYTE = 1 << 30
RECORDS = 500
_STATES = "started started suspended started suspended suspended completed completed suspended".split()
_NULL = "NULL"


class Oneacct:
    """oneacct-export on a host of some time zone. ``endpoint`` is the one of its settings for APEL, not oned's.

    ``records_for``: machines that ended longer ago are left out (its cron job's default is a week).
    """

    def __init__(
        self,
        oned: OnedSimulator,
        endpoint: str,
        zone: tzinfo,
        site: str,
        service: Optional[str] = None,
        records_for: int = 7 * DAY,
    ) -> None:
        self.pool = Pool(oned)
        self.endpoint, self.zone = endpoint[:-1] if endpoint.endswith("/") else endpoint, zone
        self.site, self.service, self.records_for = site, service, records_for

    def run(self, now: int) -> List[str]:
        """Export; what a validator of its own does not like is skipped."""
        users = self.pool.table("user", "TEMPLATE/X509_DN")
        images = self.pool.table("image", "TEMPLATE/VMCATCHER_EVENT_AD_MPURI")
        texts = []
        for vm in self.pool.machines():
            if number(vm, "STATE") == DONE and number(vm, "ETIME") < now - self.records_for:
                continue
            fields = self._fields(vm, now, users, images)
            if fields is not None:
                texts.append("".join(f"{key}: {value}\n" for key, value in fields.items()) + "%%\n")
        parts = [texts[begin : begin + RECORDS] for begin in range(0, len(texts), RECORDS)]
        return ["APEL-cloud-message: v0.4\n" + "".join(part) for part in parts]

    def name(self, vm: int, created: int) -> str:
        """Return the VMUUID of a machine."""
        return f"{self.endpoint}/compute/{vm} {datetime.fromtimestamp(created, self.zone).isoformat(' ')}"

    def _fields(
        self, vm: Element, now: int, users: Mapping[str, str], images: Mapping[str, str]
    ) -> Optional[Dict[str, object]]:
        state, start, end = number(vm, "STATE"), number(vm, "STIME"), number(vm, "ETIME")
        if state >= len(_STATES) or not histories(vm):
            return None
        completed = _STATES[state] == "completed"
        if completed and any(number(r, "RSTIME") and not number(r, "RETIME") for r in histories(vm)):
            return None
        wall = ran(vm, now)
        disk = vm.find("TEMPLATE/DISK")
        image = text(disk, "IMAGE_ID") if disk is not None else None
        appliance = text(disk, "VMCATCHER_EVENT_AD_MPURI") if disk is not None else None
        group = text(vm, "GNAME")
        size = sum(number(one, "SIZE") for one in vm.findall("TEMPLATE/DISK"))
        return {
            "VMUUID": self.name(number(vm, "ID"), start),
            "SiteName": self.site,
            "CloudComputeService": self.service or _NULL,
            "MachineName": text(vm, "DEPLOY_ID") or f"one-{number(vm, 'ID')}",
            "LocalUserId": text(vm, "UID") or _NULL,
            "LocalGroupId": text(vm, "GID") or _NULL,
            "GlobalUserName": text(vm, "USER_TEMPLATE/USER_X509_DN") or users.get(text(vm, "UID") or "", _NULL),
            "FQAN": f"/{group}/Role=NULL/Capability=NULL" if group else _NULL,
            "Status": _STATES[state],
            "StartTime": start,
            "EndTime": end or _NULL,
            "SuspendDuration": end - start - wall if end else _NULL,
            "WallDuration": wall or _NULL,
            "CpuDuration": wall or _NULL,
            "CpuCount": text(vm, "TEMPLATE/VCPU") or 1,
            "NetworkType": _NULL,
            # sent and received are the wrong way round
            "NetworkInbound": number(vm, "MONITORING/NETTX") // GIBIBYTE,
            "NetworkOutbound": number(vm, "MONITORING/NETRX") // GIBIBYTE,
            "PublicIPCount": 0,
            "Memory": text(vm, "TEMPLATE/MEMORY") or 0,
            "Disk": -(-size // 1000) or _NULL,
            "StorageRecordId": _NULL,
            "ImageId": appliance or images.get(image or "", image) or _NULL,
            "CloudType": "OpenNebula oneacct-export/0.4.6",
            "BenchmarkType": _NULL,
            "Benchmark": _NULL,
        }
