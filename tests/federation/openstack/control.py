"""What tests tell the simulator: one verb per path below /_control, arguments and results as JSON."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping

from tests.federation.openstack.faults import Fault
from tests.federation.openstack.fleet import Server
from tests.federation.openstack.identity import AccessToken, ApplicationCredential
from tests.federation.openstack.inventory import Flavor, Hypervisor, Image
from tests.federation.openstack.site import Latency, Site

Arguments = Dict[str, Any]


class Control:
    """Carries out verbs on a site. Every verb raises LookupError, ValueError or TypeError for what cannot be done."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.verbs: Dict[str, Callable[[Arguments], Any]] = {
            name: getattr(self, name)
            for name in dir(self)
            if not name.startswith("_") and name != "run" and callable(getattr(self, name))
        }

    def run(self, verb: str, arguments: Arguments) -> Any:
        """Carry out a verb."""
        if verb not in self.verbs:
            raise LookupError(f"no verb {verb!r}")
        with self.site.lock:
            self.site.fleet.settle()
            return self.verbs[verb](arguments)

    def load(self, given: Arguments) -> Any:
        """Carry out a document of many things: clock, flavors, images, projects, users, servers, acts."""
        if "clock" in given:
            self.clock({"set": given["clock"]})
        for verb, name in (("create_flavor", "flavors"), ("create_project", "projects"), ("create_user", "users")):
            for entry in given.get(name, ()):
                self.verbs[verb](dict(entry))
        for entry in given.get("images", ()):
            self.create_image(dict(entry))
        created = self.create_servers({"servers": given.get("servers", [])})
        self.act({"acts": given.get("acts", [])})
        return created

    def clock(self, given: Arguments) -> Any:
        """Read, set, advance or free the clock; things that were due happen at once."""
        clock = self.site.clock
        if "set" in given:
            clock.set(given["set"])
        if "advance" in given:
            clock.advance(int(given["advance"]))
        self.site.fleet.settle()
        return {"now": clock.now(), "pending": self.site.fleet.pending, "refused": self.site.fleet.refused}

    # Keystone

    def create_project(self, given: Arguments) -> Any:
        """Add a project."""
        return self.site.identity.create_project(given).id

    def change_project(self, given: Arguments) -> Any:
        """Change a project's fields and properties; a property that becomes None goes."""
        project = self.site.identity.project(given.pop("project"))
        _change(project, given, ("name", "domain_id", "description", "enabled", "tags"))

    def delete_project(self, given: Arguments) -> Any:
        """Delete a project; its servers stay, as in a real cloud."""
        identity = self.site.identity
        gone = identity.project(given["project"]).id
        del identity.projects[gone]
        for key in [key for key in identity.grants if key[1] == gone]:
            del identity.grants[key]

    def create_user(self, given: Arguments) -> Any:
        """Add a user with its password, federated identities and roles."""
        return self.site.identity.create_user(given).id

    def change_user(self, given: Arguments) -> Any:
        """Change a user's fields and attributes."""
        user = self.site.identity.user(given.pop("user"))
        if "federated" in given:
            user.federated = [(entry[0], entry[1], entry[2]) for entry in given.pop("federated")]
        _change(user, given, ("name", "domain_id", "enabled", "password", "default_project_id"))

    def delete_user(self, given: Arguments) -> Any:
        """Delete a user; the servers keep its id."""
        identity = self.site.identity
        gone = identity.user(given["user"]).id
        del identity.users[gone]
        for key in [key for key in identity.grants if key[0] == gone]:
            del identity.grants[key]

    def grant(self, given: Arguments) -> Any:
        """Give a role on a project or on ``system``."""
        self.site.identity.grant(given["user"], given["role"], given["on"])

    def revoke(self, given: Arguments) -> Any:
        """Take a role away."""
        self.site.identity.revoke(given["user"], given["role"], given["on"])

    def create_application_credential(self, given: Arguments) -> Any:
        """Make an application credential; returns its id and secret."""
        identity = self.site.identity
        user, project = identity.user(given["user"]), identity.project(given["project"])
        roles = tuple(given.get("roles") or identity.roles_of(user.id, project.id))
        key, secret = identity.new_id(), identity.new_id()
        name = given.get("name") or key[:8]
        identity.credentials[key] = ApplicationCredential(key, name, secret, user.id, project.id, roles)
        return {"id": key, "secret": secret}

    def delete_application_credential(self, given: Arguments) -> Any:
        """Withdraw an application credential; its tokens end."""
        del self.site.identity.credentials[given["id"]]

    def create_access_token(self, given: Arguments) -> Any:
        """Make a bearer token that an identity provider could have given to a user."""
        identity = self.site.identity
        token = identity.new_id()
        identity.access_tokens[token] = AccessToken(identity.user(given["user"]).id, given["idp"], given["protocol"])
        return token

    def tokens(self, given: Arguments) -> Any:
        """Set how long new tokens live, or end all that there are."""
        identity = self.site.identity
        identity.token_seconds = float(given.get("seconds", identity.token_seconds))
        if given.get("expire"):
            identity.tokens.clear()

    # Flavors and images

    def create_flavor(self, given: Arguments) -> Any:
        """Add a flavor, or replace the one of that id; servers keep what they had."""
        flavor = Flavor(**{**given, "id": given.get("id") or self._uuid()})
        self.site.flavors[flavor.id] = flavor
        return flavor.id

    def delete_flavor(self, given: Arguments) -> Any:
        """Delete a flavor."""
        del self.site.flavors[self._flavor(given["flavor"]).id]

    def create_image(self, given: Arguments) -> Any:
        """Add an image; unknown fields become its properties."""
        now = self.site.clock.now()
        owner = given.pop("owner", None)
        known = {name: given.pop(name) for name in list(given) if name in Image.__dataclass_fields__}
        image = Image(**{"id": self._uuid(), "created": now, "updated": known.get("created", now), **known})
        image.owner = None if owner is None else self.site.identity.project(owner).id
        image.properties.update(given)
        self.site.images[image.id] = image
        return image.id

    def change_image(self, given: Arguments) -> Any:
        """Change an image's fields and properties."""
        image = self.site.images[given.pop("image")]
        fields = {name: given.pop(name) for name in list(given) if name in Image.__dataclass_fields__}
        changed = replace(image, **{"updated": self.site.clock.now(), **fields})
        changed.properties = {**changed.properties, **given}
        self.site.images[image.id] = changed

    def delete_image(self, given: Arguments) -> Any:
        """Delete an image."""
        del self.site.images[given["image"]]

    # Hosts, quotas and the catalogue

    def create_hypervisor(self, given: Arguments) -> Any:
        """Add a host, or replace the one of that name."""
        hosts = self.site.capacity.hypervisors
        host = Hypervisor(**{"id": self._uuid(), "serial": len(hosts) + 1, **given})
        hosts[host.name] = host
        return host.id

    def quota(self, given: Arguments) -> Any:
        """Set limits of a project; -1 is none."""
        project = self.site.identity.project(given.pop("project"))
        self.site.capacity.quotas.setdefault(project.id, {}).update(given)

    def service(self, given: Arguments) -> Any:
        """Add a service to the catalogue, change it, or (without address) take it out."""
        services = self.site.identity.services
        if given.get("address") is None:
            del services[given["type"]]
        else:
            services[given["type"]] = (given.get("name") or given["type"], given["address"])

    # Servers

    def create_servers(self, given: Arguments) -> Any:
        """Add servers; an entry with ``count`` stands for many, ``spacing`` seconds apart."""
        created: List[str] = []
        for entry in given["servers"]:
            count, spacing = int(entry.get("count", 1)), int(entry.get("spacing", 0))
            first = int(entry.get("created", self.site.clock.now()))
            for number in range(count):
                name = entry.get("name", "vm") + (f"-{number:06d}" if count > 1 else "")
                created.append(self._create(entry, name, first + number * spacing))
        return created

    def act(self, given: Arguments) -> Any:
        """Let things happen to servers, in the order given."""
        for entry in given["acts"]:
            details = dict(entry)
            key, action, at = details.pop("server"), details.pop("action"), details.pop("at", None)
            if "flavor" in details:
                details["flavor"] = self._flavor(details["flavor"])
            for name, find in (("user", self.site.identity.user), ("project", self.site.identity.project)):
                if name in details:
                    details[name] = find(details[name]).id
            self.site.fleet.act(key, action, at, details)

    def purge(self, given: Arguments) -> Any:
        """Forget rows: the named ones, or all that were deleted before an instant. Returns how many."""
        fleet = self.site.fleet
        if "servers" in given:
            keys = list(given["servers"])
        else:
            before = given["before"]
            keys = [s.id for s in fleet.servers.values() if s.deleted and s.ended is not None and s.ended < before]
        for key in keys:
            fleet.purge(key, bool(given.get("force")))
        return len(keys)

    def truth(self, given: Arguments) -> Any:
        """Return what really happened to servers."""
        return self.site.fleet.truth(given.get("servers"))

    # Trouble and counting

    def fault(self, given: Arguments) -> Any:
        """Add a rule that spoils answers."""
        known = {name: given.pop(name) for name in ("kind", "path", "method", "count", "after") if name in given}
        self.site.faults.rules.append(Fault(**known, details=given))

    def clear_faults(self, given: Arguments) -> Any:
        """Drop all rules."""
        self.site.faults.rules.clear()

    def latency(self, given: Arguments) -> Any:
        """Set how long answers take from now on."""
        self.site.latency = Latency(**given)

    def compute(self, given: Arguments) -> Any:
        """Set what nova is: its highest microversion, the cells that are down, whether it skips those."""
        nova = self.site.nova
        nova.highest = int(given.get("highest", nova.highest))
        nova.down = frozenset(given.get("down", nova.down))
        nova.skip_down = bool(given.get("skip_down", nova.skip_down))

    def calls(self, given: Arguments) -> Any:
        """Return how often each kind of call came; ``reset`` starts anew afterwards."""
        result = {"calls": dict(self.site.calls), "requests": list(self.site.requests) if given.get("requests") else []}
        if given.get("reset"):
            self.site.forget_calls()
        return result

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.site.identity.random.getrandbits(128), version=4))

    def _flavor(self, key: str) -> Flavor:
        flavor = self.site.flavors.get(key) or next((f for f in self.site.flavors.values() if f.name == key), None)
        if flavor is None:
            raise LookupError(f"no flavor {key!r}")
        return flavor

    def _create(self, entry: Mapping[str, Any], name: str, created: int) -> str:
        identity, fleet = self.site.identity, self.site.fleet
        key = entry.get("id") or str(uuid.UUID(int=fleet.random.getrandbits(128), version=4))
        if key in fleet.servers or key in fleet.forgotten:
            raise ValueError(f"server {key} exists")
        number = len(fleet.servers)
        address = entry.get("address") or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        server = Server(
            id=key,
            serial=0,
            name=name,
            project_id=identity.project(entry["project"]).id,
            user_id=identity.user(entry["user"]).id,
            flavor=self._flavor(entry["flavor"]),
            image_id=entry.get("image"),
            created=created,
            updated=created,
            cell=entry.get("cell", "cell1"),
            metadata=dict(entry.get("metadata", {})),
            volumes=list(entry.get("volumes", ())) or ([] if entry.get("image") else [self._uuid()]),
            key_name=entry.get("key_name"),
            user_data=entry.get("user_data"),
            network=(entry.get("network", "private"), address, entry.get("host", "compute1")),
        )
        fleet.create(server, int(entry.get("boot_seconds", 0)), entry.get("state", "active"))
        for floating in entry.get("floating_ips", ()):
            at = created + int(entry.get("boot_seconds", 0))
            fleet.act(key, "attach_floating_ip", at, {"address": floating})
        return str(key)


def _change(target: Any, given: Arguments, own: Any) -> None:
    for name, value in given.items():
        if name in own:
            setattr(target, name, value)
        elif value is None:
            target.extra.pop(name, None)
        else:
            target.extra[name] = value
