"""What tests tell the simulator: one verb each, arguments and results as JSON, on a port of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping

from tests.federation.opennebula.adoption import adopted
from tests.federation.opennebula.faults import Fault
from tests.federation.opennebula.fleet import Fleet
from tests.federation.opennebula.furniture import address_of, furnish
from tests.federation.opennebula.inventory import Blueprint, Cluster, Datastore, Host, Image, Network
from tests.federation.opennebula.machine import DONE, Machine
from tests.federation.opennebula.site import Latency, Site
from tests.federation.opennebula.template import merged, pairs

Arguments = Dict[str, Any]

_KINDS = {
    "cluster": ("clusters", Cluster),
    "host": ("hosts", Host),
    "image": ("images", Image),
    "template": ("templates", Blueprint),
    "document": ("documents", Blueprint),
    "datastore": ("datastores", Datastore),
    "network": ("networks", Network),
}


class Control:
    """Carries out verbs on a site. Every verb raises LookupError, ValueError or TypeError for what cannot be done."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.meanwhile = self.run
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
            self.site.machines.settle()
            return self.verbs[verb](arguments)

    def load(self, given: Arguments) -> Any:
        """Carry out a document of many things: clock, groups, users, rules, objects, vms, acts."""
        if "clock" in given:
            self.clock({"set": given["clock"]})
        for name, verb in (("groups", self.create_group), ("users", self.create_user), ("rules", self.create_rule)):
            for entry in given.get(name, ()):
                verb(dict(entry))
        for entry in given.get("objects", ()):
            self.create(dict(entry))
        created = self.create_vms({"vms": given.get("vms", [])})
        self.act({"acts": given.get("acts", [])})
        return created

    def clock(self, given: Arguments) -> Any:
        """Read, set, advance or free the clock; things that were due happen at once."""
        clock, machines = self.site.clock, self.site.machines
        if "set" in given:
            clock.set(given["set"])
        if "advance" in given:
            clock.advance(int(given["advance"]))
        machines.settle()
        return {"now": clock.now(), "pending": machines.pending, "refused": machines.refused}

    # People

    def create_group(self, given: Arguments) -> Any:
        """Add a group."""
        people = self.site.people
        group = people.groups.get(given.get("id", -1)) or people.add_group(given["name"], given.get("id"))
        group.template = pairs(given.get("template", {}))
        group.quotas = given.get("quotas", "")
        group.limits = {name: str(value) for name, value in given.get("limits", {}).items()}
        return group.id

    def default_limits(self, given: Arguments) -> Any:
        """Set the limits of groups that have none of their own."""
        self.site.people.default_limits = {name: str(value) for name, value in given["limits"].items()}

    def create_user(self, given: Arguments) -> Any:
        """Add a user."""
        people = self.site.people
        groups = [people.group(name).id for name in given.get("groups", ())]
        password, driver = given.get("password", "secret"), given.get("driver", "core")
        if given.get("id") in people.users:
            del people.users[given["id"]]
        user = people.add_user(given["name"], password, driver, groups, given.get("id"))
        user.password = given.get("stored") or user.password
        user.template = merged(user.template, pairs(given.get("template", {})))
        user.enabled = given.get("enabled", True)
        user.quotas = given.get("quotas", "")
        user.tokens = [(row[0], int(row[1]), int(row[2])) for row in given.get("tokens", ())]
        return user.id

    def change_user(self, given: Arguments) -> Any:
        """Change a user: name, enabled, groups, password, driver, template (merged)."""
        people = self.site.people
        user = people.user(given["user"])
        user.name = given.get("name", user.name)
        user.enabled = given.get("enabled", user.enabled)
        if "groups" in given:
            user.groups = [people.group(name).id for name in given["groups"]]
        if "password" in given or "driver" in given:
            people.set_password(user, given.get("password", ""), given.get("driver", user.driver))
        user.template = merged(user.template, pairs(given.get("template", {})))
        people.revision += 1

    def delete_user(self, given: Arguments) -> Any:
        """Delete a user; its machines stay."""
        self.site.people.delete_user(self.site.people.user(given["user"]).id)

    def create_rule(self, given: Arguments) -> Any:
        """Add an access rule from its text."""
        return self.site.people.add_rule(given["text"], given.get("id"))

    def delete_rule(self, given: Arguments) -> Any:
        """Delete an access rule."""
        del self.site.people.rules[given["id"]]

    def sessions(self, given: Arguments) -> Any:
        """Set how long a good session is kept, or end all."""
        logins = self.site.logins
        logins.session_seconds = float(given.get("seconds", logins.session_seconds))
        if given.get("expire"):
            logins.forget()
            for user in self.site.people.users.values():
                user.tokens.clear()

    # Objects

    def create(self, given: Arguments) -> Any:
        """Add a cluster, host, image, template, document, datastore or network, or replace the one of that id."""
        rows, kind = self._rows(given.pop("kind"))
        key = given.pop("id", None)
        if key is None:
            key = max([*rows, -1]) + 1
        if "template" in given:
            given["template"] = pairs(given["template"])
        for name, find in (("uid", self.site.people.user), ("gid", self.site.people.group)):
            if isinstance(given.get(name), str):
                given[name] = find(given[name]).id
        rows[key] = kind(id=key, **given)
        return key

    def change(self, given: Arguments) -> Any:
        """Change fields of an object; its template is merged."""
        rows, _ = self._rows(given.pop("kind"))
        row = rows[given.pop("id")]
        if "template" in given:
            given["template"] = merged(row.template, pairs(given["template"]))
        rows[row.id] = replace(row, **given)

    def remove(self, given: Arguments) -> Any:
        """Delete an object."""
        del self._rows(given["kind"])[0][given["id"]]

    def _rows(self, kind: str) -> Any:
        name, made = _KINDS[kind]
        return getattr(self.site.inventory, name), made

    # Machines

    def create_vms(self, given: Arguments) -> Any:
        """Add machines; an entry with ``count`` stands for many, ``spacing`` seconds apart."""
        created: List[int] = []
        for entry in given["vms"]:
            count, spacing = int(entry.get("count", 1)), int(entry.get("spacing", 0))
            first_at = int(entry.get("created", self.site.clock.now()))
            for number in range(count):
                name = entry.get("name", "vm") + (f"-{number:06d}" if count > 1 else "")
                created.append(self._create(entry, name, first_at + number * spacing))
        return created

    def _create(self, entry: Mapping[str, Any], name: str, created: int) -> int:
        site = self.site
        owner = site.people.user(entry.get("user", "oneadmin"))
        gid = site.people.group(entry["group"]).id if "group" in entry else owner.gid
        key = int(entry.get("id", site.machines.next_id))
        size = {"CPU": str(entry.get("cpu", 1)), "MEMORY": str(entry.get("memory", 1024))}
        if entry.get("vcpu", 1) is not None:
            size["VCPU"] = str(entry.get("vcpu", 1))
        template = furnish(
            site.profile,
            str(key),
            size,
            entry.get("disks", [{"IMAGE_ID": 0, "IMAGE": "image", "SIZE": 10240}]),
            entry.get("nics", address_of(key)),
            entry.get("template"),
        )
        user_template = pairs(entry.get("user_template", {}))
        machine = Machine(key, owner.id, gid, name, created, template, user_template)
        machine.rates = (int(entry.get("rates", (0, 0))[0]), int(entry.get("rates", (0, 0))[1]))
        machine.permissions = entry.get("permissions", "600")
        site.machines.add(machine)
        if entry.get("deploy", True):
            details = {name: entry[name] for name in ("host", "prolog", "boot", "fails", "hangs") if name in entry}
            site.machines.act(key, "deploy", created + int(entry.get("pending", 0)), details)
        return key

    def adopt(self, given: Arguments) -> Any:
        """Take in machines from what a real oned answered (the XML of a VM or of a pool)."""
        root = ElementTree.fromstring(given["xml"])
        found = [root] if root.tag == "VM" else root.findall("VM")
        for element in found:
            machine = adopted(element)
            self.site.machines.add(machine)
        return [int(element.findtext("ID") or 0) for element in found]

    def fleet(self, given: Arguments) -> Any:
        """Let there be a fleet that is computed from ids; returns an instant behind all that happened to it."""
        machines, people = self.site.machines, self.site.people
        owners = [(people.user(pair[0]).id, people.group(pair[1]).id) for pair in given.get("owners", [[0, 0]])]
        machines.fleet = Fleet(
            self.site.profile,
            self.site.inventory.hosts,
            int(given.get("first_id", machines.next_id)),
            int(given["count"]),
            int(given.get("records", 20)),
            int(given["start"]),
            int(given.get("spacing", 60)),
            int(given.get("live_every", 10)),
            owners,
        )
        machines.next_id = max(machines.next_id, machines.fleet.first_id + machines.fleet.count)
        return machines.fleet.latest_end

    def act(self, given: Arguments) -> Any:
        """Let things happen to machines, in the order given."""
        for entry in given["acts"]:
            details = dict(entry)
            key, action, at = int(details.pop("vm")), details.pop("action"), details.pop("at", None)
            for name, target, find in (
                ("user", "uid", self.site.people.user),
                ("group", "gid", self.site.people.group),
            ):
                if name in details:
                    details[target] = find(details.pop(name)).id
            if isinstance(details.get("by"), str):
                details["by"] = self.site.people.user(details["by"]).id
            self.site.machines.act(key, action, at, details)

    def purge(self, given: Arguments) -> Any:
        """Forget machines: the named ones, or all that ended before an instant. Returns how many."""
        machines = self.site.machines
        if "vms" in given:
            keys = [int(key) for key in given["vms"]]
        else:
            before, found = given["before"], ((key, machines.get(key)) for key in list(machines.ids(None, None)))
            keys = [key for key, vm in found if vm is not None and vm.state == DONE and vm.etime < before]
        for key in keys:
            machines.purge(key)
        return len(keys)

    def purge_history(self, given: Arguments) -> Any:
        """Keep two records of each machine (or of the named ones), renumbered."""
        keys = given.get("vms")
        for key in list(self.site.machines.ids(None, None)) if keys is None else keys:
            self.site.machines.purge_history(int(key))

    def reinstall(self, given: Arguments) -> Any:
        """Forget all machines and begin again with id 0."""
        self.site.machines.forget_all()

    def next_id(self, given: Arguments) -> Any:
        """Read or move the id that the next machine gets."""
        machines = self.site.machines
        machines.next_id = max(machines.next_id, int(given.get("at_least", 0)))
        return machines.next_id

    def truth(self, given: Arguments) -> Any:
        """Return what really happened to machines."""
        return self.site.machines.truth(given.get("vms"))

    def statistics(self, given: Arguments) -> Any:
        """Return how many machines there are."""
        return self.site.machines.statistics()

    # Trouble and counting

    def fault(self, given: Arguments) -> Any:
        """Add a rule that spoils answers."""
        known = {name: given.pop(name) for name in ("kind", "method", "count", "after") if name in given}
        self.site.faults.append(Fault(**known, details=given))

    def clear_faults(self, given: Arguments) -> Any:
        """Drop all rules."""
        self.site.faults.clear()

    def latency(self, given: Arguments) -> Any:
        """Set how long answers take from now on."""
        self.site.latency = Latency(**given)

    def limits(self, given: Arguments) -> Any:
        """Set the largest answer, how long the server waits for a request, and for how many polls images are busy."""
        self.site.largest = int(given.get("largest", self.site.largest))
        self.site.image_polls = int(given.get("image_polls", self.site.image_polls))
        self.site.request_seconds = float(given.get("request_seconds", self.site.request_seconds))

    def calls(self, given: Arguments) -> Any:
        """Return how often each method came and how many bytes went; ``reset`` starts anew afterwards."""
        site = self.site
        requests = list(site.requests) if given.get("requests") else []
        result = {"calls": dict(site.calls), "bytes": dict(site.bytes), "requests": requests}
        if given.get("reset"):
            site.forget_calls()
        return result
