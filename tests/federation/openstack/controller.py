"""How tests start the simulated site and tell it what to be; everything goes over its control interface."""

from __future__ import annotations

import http.client
import ssl
import sys
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from tests.federation.openstack.history import Life, life_from
from tests.federation.openstack.identity import ADMIN_NAME, ADMIN_PASSWORD, ADMIN_PROJECT
from tests.federation.simulator import Simulator


class OpenStackSimulator(Simulator):
    """An OpenStack site in a process of its own.

    It starts with one domain (``default``), one project and one user (``admin_project``, ``admin_name``,
    ``admin_password``), who is an administrator of project and system. Projects, users and flavors are named by id or
    name; instants are seconds since the epoch. What cannot be done raises ValueError with the simulator's reason.
    """

    name = "openstack"
    admin_name = ADMIN_NAME
    admin_password = ADMIN_PASSWORD
    admin_project = ADMIN_PROJECT
    verbs = "/_control/"

    def command(self) -> List[str]:
        """Return the argument list that starts the server."""
        command = [sys.executable, "-m", "tests.federation.openstack", "--port", str(self.port)]
        for path in self.state:
            command += ["--state", str(path)]
        if self.certificate is not None:
            command += ["--certificate", str(self.certificate), "--key", str(self.key)]
        return command

    @property
    def base_url(self) -> str:
        """The root of all services."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def auth_url(self) -> str:
        """The address of keystone, as a site's configuration has it."""
        return self.base_url + "/identity/v3"

    @property
    def compute_url(self) -> str:
        """The address of nova, as the catalogue has it."""
        return self.base_url + "/compute/v2.1"

    @property
    def image_url(self) -> str:
        """The address of glance, as the catalogue has it."""
        return self.base_url + "/image"

    def _connect(self) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=context)

    # Keystone

    def create_project(self, name: str, **fields: Any) -> str:
        """Add a project and return its id; fields: id, description, enabled, tags, and any property (VO=...)."""
        return str(self.tell("create_project", {"name": name, **fields}))

    def change_project(self, project: str, **fields: Any) -> None:
        """Change fields and properties of a project; None removes a property."""
        self.tell("change_project", {"project": project, **fields})

    def delete_project(self, project: str) -> None:
        """Delete a project; its servers stay."""
        self.tell("delete_project", {"project": project})

    def create_user(self, name: str, **fields: Any) -> str:
        """Add a user and return its id.

        Fields: id, password, enabled, default_project_id, federated ([[idp, protocol, unique_id], ...]),
        roles ({project or "system": [role, ...]}), and any attribute (description=..., email=...).
        """
        return str(self.tell("create_user", {"name": name, **fields}))

    def change_user(self, user: str, **fields: Any) -> None:
        """Change fields and attributes of a user."""
        self.tell("change_user", {"user": user, **fields})

    def delete_user(self, user: str) -> None:
        """Delete a user; its servers keep its id."""
        self.tell("delete_user", {"user": user})

    def grant(self, user: str, role: str, on: str) -> None:
        """Give reader, member or admin on a project or on ``system``."""
        self.tell("grant", {"user": user, "role": role, "on": on})

    def revoke(self, user: str, role: str, on: str) -> None:
        """Take a role away; tokens that lived from it end."""
        self.tell("revoke", {"user": user, "role": role, "on": on})

    def create_application_credential(
        self, user: str, project: str, roles: Optional[Sequence[str]] = None, name: Optional[str] = None
    ) -> Dict[str, str]:
        """Make an application credential and return ``{"id": ..., "secret": ...}``."""
        arguments = {"user": user, "project": project, "roles": roles, "name": name}
        return dict(self.tell("create_application_credential", arguments))

    def delete_application_credential(self, credential: str) -> None:
        """Withdraw an application credential by its id."""
        self.tell("delete_application_credential", {"id": credential})

    def create_access_token(self, user: str, idp: str, protocol: str = "openid") -> str:
        """Return a bearer token of an identity provider for a user."""
        return str(self.tell("create_access_token", {"user": user, "idp": idp, "protocol": protocol}))

    def expire_tokens(self) -> None:
        """End all tokens now."""
        self.tell("tokens", {"expire": True})

    def token_lifetime(self, seconds: float) -> None:
        """Set how long new tokens live."""
        self.tell("tokens", {"seconds": seconds})

    # Flavors and images

    def create_flavor(self, name: str, vcpus: int, ram: int, disk: int, **fields: Any) -> str:
        """Add a flavor (MB, GB) and return its id; an id that exists is replaced, and servers keep what they had.

        Fields: id, ephemeral (GB), swap (MB), is_public, description, extra_specs, access (project ids).
        """
        return str(self.tell("create_flavor", {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk, **fields}))

    def delete_flavor(self, flavor: str) -> None:
        """Delete a flavor."""
        self.tell("delete_flavor", {"flavor": flavor})

    def create_image(self, name: str, **fields: Any) -> str:
        """Add an image and return its id; fields of glance, owner (project), members, and any property."""
        return str(self.tell("create_image", {"name": name, **fields}))

    def change_image(self, image: str, **fields: Any) -> None:
        """Change fields and properties of an image."""
        self.tell("change_image", {"image": image, **fields})

    def delete_image(self, image: str) -> None:
        """Delete an image."""
        self.tell("delete_image", {"image": image})

    # Hosts, quotas and the catalogue

    def create_hypervisor(self, name: str, **fields: Any) -> str:
        """Add a host and return its id; fields of ``inventory.Hypervisor``. A new site has none."""
        return str(self.tell("create_hypervisor", {"name": name, **fields}))

    def set_quota(self, project: str, **limits: int) -> None:
        """Set limits of a project: instances, cores, ram (MB); -1 is none, as all are in the beginning."""
        self.tell("quota", {"project": project, **limits})

    def set_service(self, type: str, address: Optional[str], name: Optional[str] = None) -> None:
        """Change the catalogue; without address the service is taken out. See ``identity.Identity``."""
        self.tell("service", {"type": type, "address": address, "name": name})

    # Servers

    def create_server(self, project: str, user: str, flavor: str, **fields: Any) -> str:
        """Add a server and return its id; fields as for ``create_servers``."""
        return self.create_servers([{"project": project, "user": user, "flavor": flavor, **fields}])[0]

    def create_servers(self, entries: Iterable[Mapping[str, Any]]) -> List[str]:
        """Add servers and return their ids.

        Each entry needs project, user, flavor, and may have: id, name, image (none: booted from a volume), created
        (default now; in the future: it comes when the clock gets there), boot_seconds (0; from created to launched),
        state (active, building: never gets on, error: never launched), network, address, floating_ips, host, cell,
        metadata, volumes, key_name, user_data; count and spacing make many of it.
        """
        return list(self.tell("create_servers", {"servers": list(entries)}))

    def act(self, server: str, action: str, at: Optional[int] = None, **details: Any) -> None:
        """Let something happen to a server: now, at an instant after its last change, or in the future.

        Actions are the keys of ``acts.ACTS``. Details: flavor (resize), name (rename), message (error), address
        (attach_floating_ip, detach_floating_ip), volume (attach_volume, detach_volume), image, host (rebuild,
        evacuate, unshelve), task_state (task), terminated=False (delete without terminated_at). Who did it and when it
        began, for os-instance-actions: user, project, started.
        """
        entry: Dict[str, Any] = {"server": server, "action": action, **details}
        if at is not None:
            entry["at"] = at
        self.acts([entry])

    def acts(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Let many things happen, in this order; each entry has server, action, and what ``act`` takes."""
        self.tell("act", {"acts": list(entries)})

    def purge(self, servers: Optional[Sequence[str]] = None, before: Optional[int] = None, force: bool = False) -> int:
        """Forget rows as archiving does: the named ones, or all deleted before an instant. ``force``: live ones too."""
        arguments: Dict[str, Any] = {"force": force}
        if servers is None:
            arguments["before"] = before
        else:
            arguments["servers"] = list(servers)
        return int(self.tell("purge", arguments))

    def truth(self, servers: Optional[Sequence[str]] = None) -> Dict[str, Life]:
        """Return what really happened, by server id; purged ones are in it."""
        arguments = {} if servers is None else {"servers": list(servers)}
        return {document["id"]: life_from(document) for document in self.tell("truth", arguments)}

    def load(self, document: Mapping[str, Any]) -> List[str]:
        """Carry out a document: clock, flavors, projects, users, images, servers, acts. Returns the server ids."""
        return list(self.tell("load", document))

    # Trouble and counting

    def fault(
        self,
        kind: str,
        path: str = "",
        method: Optional[str] = None,
        count: Optional[int] = 1,
        after: int = 0,
        **details: Any,
    ) -> None:
        """Spoil the answers to requests whose path and query match a regular expression.

        The first ``after`` of them pass, then ``count`` (None: all) are spoilt. See ``faults.KINDS``.
        """
        rule = {"kind": kind, "path": path, "method": method, "count": count, "after": after, **details}
        self.tell("fault", rule)

    def latency(self, per_call: float = 0.0, per_server: float = 0.0, per_login: float = 0.0) -> None:
        """Set how many seconds answers take: each call, each server in a page, each login."""
        self.tell("latency", {"per_call": per_call, "per_server": per_server, "per_login": per_login})

    def cells_down(self, *cells: str, skip: bool = True) -> None:
        """Let cells fall silent (none: all answer); ``skip`` False makes listings fail instead of leaving rows out."""
        self.tell("compute", {"down": list(cells), "skip_down": skip})

    def highest_microversion(self, minor: int) -> None:
        """Set the highest microversion: 2.``minor``."""
        self.tell("compute", {"highest": minor})

    def calls(self, reset: bool = False) -> Dict[str, int]:
        """Return how often each call came, as in ``{"GET /compute/v2.1/servers/{id}": 3}``."""
        return dict(self.tell("calls", {"reset": reset})["calls"])

    def requests(self, reset: bool = False) -> List[Dict[str, Any]]:
        """Return the first 20000 requests: method, target (path and query), version (microversion), status."""
        return list(self.tell("calls", {"reset": reset, "requests": True})["requests"])

    def reset_calls(self) -> None:
        """Start counting anew."""
        self.calls(reset=True)
