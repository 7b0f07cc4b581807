"""cASO 5: servers that changed since its last run, and those that nova's usage report names, once an hour."""

from __future__ import annotations

import calendar
import http.client
import json
import time
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import urlencode

from tests.federation.openstack.controller import OpenStackSimulator

RECORDS = 100
_STATUS = {
    "ERROR": "error",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "STOPPED": "stopped",
    "DELETED": "completed",
    "SHUTOFF": "completed",
    "UNKNOWN": "unknown",
    "SHELVED": "unknown",
    "SHELVED_OFFLOADED": "unknown",
    "SOFT_DELETED": "unknown",
}


class Caso:
    """cASO for one project, with the account of a reader. ``last_run``: where its files say that it stopped."""

    def __init__(
        self,
        cloud: OpenStackSimulator,
        project: str,
        vo: str,
        site: str,
        service: Optional[str] = None,
        username: str = "accounting",
        password: str = "accounting-secret",
    ) -> None:
        self.cloud, self.project, self.vo = cloud, project, vo
        self.site, self.service = site, service or site
        self.last_run = 0
        self._who = {"user": {"name": username, "domain": {"id": "default"}, "password": password}}
        self._connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
        scope: Mapping[str, Any] = {"project": {"name": project, "domain": {"id": "default"}}}
        self._of_project, self._project_id = self._login(scope)
        self._of_system, _ = self._login({"system": {"all": True}})

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def run(self, now: int) -> List[str]:
        """Extract from the last run until now and move the mark, whether the records arrive or not."""
        users = {row["id"]: row["name"] for row in self._get("/identity/v3/users", self._of_system)["users"]}
        images = {row["id"]: row for row in self._get("/image/v2/images", self._of_project)["images"]}
        usages = self._get(
            f"/compute/v2.1/os-simple-tenant-usage/{self._project_id}?"
            + urlencode({"start": _text(self.last_run), "end": _text(now)}),
            self._of_project,
        )["tenant_usage"]
        records: Dict[str, Dict[str, Any]] = {}
        for server in self._changed():
            start, end = _instant(server["created"]), _end(server)
            if start is None or start > now or (end is not None and end < self.last_run):
                continue
            records[server["id"]] = self._record(server, start, end, now, users, images)
        for usage in usages.get("server_usages", []):
            key = usage["instance_id"]
            if key not in records:
                server = self._get(f"/compute/v2.1/servers/{key}", self._of_project)["server"]
                start = _instant(server["created"])
                if start is None or start > now:
                    continue
                records[key] = self._record(server, start, _instant(usage["ended_at"]), now, users, images)
                records[key]["CpuDuration"] = records[key]["WallDuration"] * usage["vcpus"]
            records[key].update(Memory=usage["memory_mb"], CpuCount=usage["vcpus"], Disk=usage["local_gb"])
        self.last_run = now
        texts = [_rendered(record) for record in records.values()]
        parts = [texts[begin : begin + RECORDS] for begin in range(0, len(texts), RECORDS)]
        return ["APEL-cloud-message: v0.4\n" + "\n%%\n".join(part) + "\n" for part in parts]

    def _record(
        self,
        server: Dict[str, Any],
        start: int,
        end: Optional[int],
        now: int,
        users: Mapping[str, str],
        images: Mapping[str, Dict[str, Any]],
    ) -> Dict[str, Any]:
        status = _STATUS.get(server["status"], "started")
        if end is None or end > now:
            end = None
            status = "started" if status == "completed" else status
        wall = (now if end is None else end) - start
        image = server["image"]["id"] if server["image"] else None
        addresses = [each for network in server["addresses"].values() for each in network]
        return {
            "VMUUID": server["id"],
            "SiteName": self.site,
            "CloudComputeService": self.service,
            "MachineName": server["name"].encode("ascii", "ignore").decode(),
            "LocalUserId": server["user_id"],
            "LocalGroupId": server["tenant_id"],
            "GlobalUserName": users.get(server["user_id"]),
            "FQAN": self.vo,
            "Status": status,
            "StartTime": start,
            "EndTime": end or 0,
            "WallDuration": wall,
            "CpuDuration": wall * server["flavor"]["vcpus"],
            "CpuCount": server["flavor"]["vcpus"],
            "PublicIPCount": sum(each["OS-EXT-IPS:type"] == "floating" for each in addresses),
            "Memory": server["flavor"]["ram"],
            "Disk": server["flavor"]["disk"] + server["flavor"]["ephemeral"],
            "ImageId": images.get(image or "", {}).get("vmcatcher_event_ad_mpuri", image),
            "CloudType": "caso/5.2.2 (OpenStack)",
        }

    def _changed(self) -> List[Dict[str, Any]]:
        found: List[Dict[str, Any]] = []
        marker: Optional[str] = None
        while True:
            query = {"changes-since": _text(self.last_run) + "Z", "limit": "200"}
            if marker is not None:
                query["marker"] = marker
            page = self._get(f"/compute/v2.1/servers/detail?{urlencode(query)}", self._of_project)["servers"]
            found += page
            if len(page) < 200:
                return sorted(found, key=lambda server: str(server["created"]))
            marker = page[-1]["id"]

    def _login(self, scope: Mapping[str, Any]) -> Any:
        body = {"auth": {"identity": {"methods": ["password"], "password": self._who}, "scope": scope}}
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/identity/v3/auth/tokens", json.dumps(body), headers)
        answer = self._connection.getresponse()
        document = json.loads(answer.read())
        assert answer.status == 201, document
        return answer.getheader("X-Subject-Token"), document["token"].get("project", {}).get("id")

    def _get(self, path: str, token: str) -> Any:
        headers = {"X-Auth-Token": token, "OpenStack-API-Version": "compute 2.60"}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, body)
        return json.loads(body)


def _end(server: Mapping[str, Any]) -> Optional[int]:
    end = _instant(server["OS-SRV-USG:terminated_at"])
    if end is not None:
        return end
    if server["OS-SRV-USG:launched_at"] is None:
        return _instant(server["created"])
    return _instant(server["updated"]) if server["status"] == "DELETED" else None


def _instant(text: Optional[str]) -> Optional[int]:
    return None if text is None else calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def _text(instant: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(instant))


def _rendered(record: Mapping[str, Any]) -> str:
    fields = {key: value for key, value in record.items() if value is not None}
    for key in ("WallDuration", "CpuDuration"):
        fields[key] = fields[key] or 1
    return "\n".join(sorted(f"{key}: {value}" for key, value in fields.items()))
