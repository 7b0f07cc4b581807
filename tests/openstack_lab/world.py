"""What the lab's cloud holds before anything happens: VOs, people, sizes of servers, an appliance, networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

from tests.openstack_lab.lab import Lab
from tests.openstack_lab.site import Site

JANE = "/DC=org/DC=example/O=Example University/CN=Jane Doe"
APPLIANCE = "https://images.example.org/appliances/worker:7/"
PUBLIC = "198.18"


class World:
    """The cloud's inventory. Project ``ops`` says itself which VO it serves, ``bio`` is named by the site."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.admin = admin = lab.administrator
        self.directory = directory
        self._sites = 0
        self.ops = admin.make("keystone", "projects", name="egi-ops", domain_id="default", VO="ops")
        self.bio = admin.make("keystone", "projects", name="egi-bio", domain_id="default")
        admin.make("keystone", "projects", name="private", domain_id="default")
        admin.make_user(JANE, {self.ops: ["member"], self.bio: ["member"]})
        readers = {self.ops: ["reader"], self.bio: ["reader"]}
        admin.make_user("reader", readers)
        auditor = admin.make_user("auditor", readers)
        admin.call("keystone", "PUT", f"/system/users/{auditor}/roles/{admin.role('reader')}")
        admin.make_user("accountant", {self.ops: ["admin"]})
        specs = {"accounting:benchmark_type": "HEPscore23", "accounting:benchmark_value": "12.5"}
        self.small = admin.make_flavor("small", vcpus=1, ram=512, disk=1)
        self.large = admin.make_flavor("large", vcpus=4, ram=2048, disk=10, extra_specs=specs, **{_EPHEMERAL: 5})
        self.impossible = admin.make_flavor("impossible", vcpus=4000, ram=512, disk=1)
        self.appliance = admin.make_image("worker", vmcatcher_event_ad_mpuri=APPLIANCE)
        self.image = admin.make_image("plain")
        self.jane = lab.person(JANE, "egi-ops")
        self._networks()

    def _networks(self) -> None:
        public: Dict[str, Any] = {"router:external": True, "provider:network_type": "flat"}
        self.public = self.admin.make("neutron", "networks", name="public", **public, **_PHYSICAL)
        subnet = {"network_id": self.public, "ip_version": 4, "enable_dhcp": False, "cidr": f"{PUBLIC}.0.0/16"}
        self.admin.make("neutron", "subnets", **subnet)
        self.network = self.jane.make("neutron", "networks", name="private")
        inner = self.jane.make("neutron", "subnets", network_id=self.network, ip_version=4, cidr="10.0.0.0/16")
        router = self.jane.make("neutron", "routers", name="out", external_gateway_info={"network_id": self.public})
        self.jane.call("neutron", "PUT", f"/routers/{router}/add_router_interface", json={"subnet_id": inner})

    def give_floating_address(self, server: str) -> None:
        """Give a server an address of the public network, and wait until nova shows it."""
        (port,) = self.jane.call("neutron", "GET", "/ports", params={"device_id": server})["ports"]
        self.jane.make("neutron", "floatingips", floating_network_id=self.public, port_id=port["id"])
        self.jane.await_server(server, lambda row: PUBLIC in str(row["addresses"]))

    def site(self, username: str = "accountant", **settings: Any) -> Site:
        """Return an installation that has not run yet. ``accountant`` sees all projects at once."""
        auth: Dict[str, Any] = {"username": username, "user_domain_name": "Default", **settings.pop("auth", {})}
        if username == "accountant":
            auth["project_name"] = "egi-ops"
        self._sites += 1
        vos = {"bio.example.org": {"project": "egi-bio"}}
        return Site(self.directory / f"site-{self._sites}", self.lab.layout, auth, vos=vos, **settings)


_EPHEMERAL = "OS-FLV-EXT-DATA:ephemeral"
_PHYSICAL = {"provider:physical_network": "outside"}
