"""What people do with the cloud, over the APIs that everybody uses."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence

import requests

from tests.openstack_lab.layout import Layout

_ROOTS = {"keystone": "/v3", "glance": "/v2", "neutron": "/v2.0", "nova": "/v2.1"}
_VERSION = {"OpenStack-API-Version": "compute 2.66"}
_PATIENCE = 90


class Person:
    """Someone logged in to one project, or to the system as a whole."""

    def __init__(self, layout: Layout, name: str, project: Optional[str]) -> None:
        self.layout = layout
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers.update(_VERSION)
        domain = {"id": "default"}
        user = {"name": name, "domain": domain, "password": layout.password}
        scope: Dict[str, Any] = (
            {"project": {"name": project, "domain": domain}} if project else {"system": {"all": True}}
        )
        login = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = self.http.post(f"{layout.identity}/auth/tokens", json=login, timeout=60)
        answer.raise_for_status()
        self.http.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        token = answer.json()["token"]
        self.id: str = token["user"]["id"]
        self.project: Optional[str] = token.get("project", {}).get("id")

    def call(self, service: str, method: str, path: str, **more: Any) -> Any:
        """Call an API and return its answer, parsed if it is JSON. Raises with what the service said."""
        url = self.layout.url(service) + _ROOTS[service] + path
        answer = self.http.request(method, url, timeout=60, **more)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {url}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content and "json" in answer.headers.get("Content-Type", "") else None

    def make(self, service: str, collection: str, **described: Any) -> str:
        """Make one of something, in the way most of the APIs have in common, and return its id."""
        kind = collection[:-1]
        made: str = self.call(service, "POST", f"/{collection}", json={kind: described})[kind]["id"]
        return made

    def role(self, name: str) -> str:
        found: str = self.call("keystone", "GET", "/roles", params={"name": name})["roles"][0]["id"]
        return found

    def make_user(self, name: str, grants: Optional[Mapping[str, Sequence[str]]] = None) -> str:
        """Make a user who has roles on projects (by id) and return its id."""
        user = self.make("keystone", "users", name=name, domain_id="default", password=self.layout.password)
        for project, roles in (grants or {}).items():
            for role in roles:
                self.call("keystone", "PUT", f"/projects/{project}/users/{user}/roles/{self.role(role)}")
        return user

    def make_flavor(self, name: str, **size: Any) -> str:
        """Make a flavor, with ``extra_specs`` if given."""
        specs = size.pop("extra_specs", None)
        flavor = self.make("nova", "flavors", name=name, **size)
        if specs:
            self.call("nova", "POST", f"/flavors/{flavor}/os-extra_specs", json={"extra_specs": specs})
        return flavor

    def make_image(self, name: str, **properties: str) -> str:
        """Upload a small image that everybody may use."""
        described = {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        image: str = self.call("glance", "POST", "/images", json={**described, **properties})["id"]
        body = {"data": b"\0" * 65536, "headers": {"Content-Type": "application/octet-stream"}}
        self.call("glance", "PUT", f"/images/{image}/file", **body)
        return image

    def boot(self, name: str, image: str, flavor: str, network: Optional[str]) -> str:
        """Ask for a server and return its id, without waiting for it."""
        networks = [{"uuid": network}] if network else "none"
        return self.make("nova", "servers", name=name, imageRef=image, flavorRef=flavor, networks=networks)

    def server(self, id: str) -> Dict[str, Any]:
        found: Dict[str, Any] = self.call("nova", "GET", f"/servers/{id}")["server"]
        return found

    def act(self, id: str, action: str, told: Any = None) -> None:
        """Do something to a server, without waiting for it."""
        self.call("nova", "POST", f"/servers/{id}/action", json={action: told})

    def delete(self, id: str) -> None:
        self.call("nova", "DELETE", f"/servers/{id}")

    def await_server(self, id: str, right: Callable[[Dict[str, Any]], bool]) -> Dict[str, Any]:
        """Wait until a server is as it should be; return it."""
        deadline = time.monotonic() + _PATIENCE
        while not right(row := self.server(id)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"server {id} does not become as it should be: {row}")
            time.sleep(0.5)
        return row

    def await_status(self, wanted: Mapping[str, str]) -> Dict[str, Dict[str, Any]]:
        """Wait until servers (by id) have these statuses and nothing is under way; return what they are then."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = {id: self.server(id) for id in wanted}
            late = {
                id: (row["status"], row["OS-EXT-STS:task_state"], row.get("fault"))
                for id, row in found.items()
                if row["status"] != wanted[id] or row["OS-EXT-STS:task_state"]
            }
            if not late:
                return found
            if time.monotonic() > deadline:
                raise RuntimeError(f"servers do not become {dict(wanted)}: {late}")
            time.sleep(0.5)

    def await_gone(self, ids: Iterable[str]) -> None:
        """Wait until none of these servers is in this person's project any more."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            shown = {row["id"] for row in self.call("nova", "GET", "/servers")["servers"]}
            if not shown.intersection(ids):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"servers are not deleted: {sorted(shown.intersection(ids))}")
            time.sleep(0.5)
