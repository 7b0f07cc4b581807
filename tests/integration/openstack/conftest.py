"""A simulated site with three projects, and the plugin's settings for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

from fedcloud_agent.clouds.contract import Listing, NoPast, Page, Problem, Unreadable, VirtualMachine, Window
from fedcloud_agent.http import Bounds
from fedcloud_agent.settings import Secret
from fedcloud_plugins.openstack.plugin import OpenStack
from fedcloud_plugins.openstack.settings import AuthSettings, OpenStackSettings, VoSettings
from tests.federation.openstack import OpenStackSimulator

NOW = 1_795_000_000
JANE = "/DC=org/DC=example/CN=Jane Doe"
APPLIANCE = "https://images.example.org/appliances/7:2/"


class Site:
    """The simulator, and shortcuts to what the tests ask of it."""

    def __init__(self, simulator: OpenStackSimulator, directory: Path) -> None:
        self.simulator = simulator
        self.directory = directory
        simulator.set_clock(NOW)
        self.ops = simulator.create_project("vo-ops", VO="ops")
        self.bio = simulator.create_project("vo-bio")
        self.private = simulator.create_project("private")
        simulator.create_user("admin-agent", password="pw", roles={"vo-ops": ["admin"]})
        simulator.create_user("reader", password="pw", roles={"vo-ops": ["reader"], "vo-bio": ["reader"]})
        self.jane = simulator.create_user(JANE, password="x")
        self.joe = simulator.create_user("joe", federated=[["egi.eu", "openid", "0123456789%40egi.eu"]])
        specs = {"accounting:benchmark_type": "HEPscore23", "accounting:benchmark_value": "12.5"}
        simulator.create_flavor("small", 1, 2048, 20)
        simulator.create_flavor("large", 8, 16384, 80, ephemeral=40, extra_specs=specs)
        self.image = simulator.create_image("worker", visibility="public", vmcatcher_event_ad_mpuri=APPLIANCE)
        self.clouds: List[OpenStack] = []

    def settings(self, username: str = "admin-agent", **changes: Any) -> OpenStackSettings:
        secret = self.directory / "secret"
        secret.write_text("pw\n")
        secret.chmod(0o600)
        auth = AuthSettings(
            auth_url=self.simulator.auth_url,
            username=username,
            user_domain_name="Default",
            password_file=Secret(str(secret)),
            **changes.pop("auth", {}),
        )
        vos = changes.pop("vos", {"bio.example.org": VoSettings(project="vo-bio")})
        return dataclasses.replace(OpenStackSettings(auth=auth, vos=vos), **changes)

    def cloud(self, username: str = "admin-agent", **changes: Any) -> OpenStack:
        cloud = OpenStack("main", self.settings(username, **changes))
        cloud._connection.client._adapter.bounds = Bounds(timeout=10, deadline=20, size=50_000_000, backoff=0.01)
        self.clouds.append(cloud)
        return cloud

    def server(self, project: str = "vo-ops", user: str = JANE, flavor: str = "small", **fields: Any) -> str:
        fields.setdefault("created", NOW - 86400)
        return self.simulator.create_server(project, user, flavor, image=self.image, **fields)


@dataclasses.dataclass
class Seen:
    """All that one run brought."""

    listings: List[Listing]
    pages: List[Page]

    @property
    def machines(self) -> Dict[str, VirtualMachine]:
        return {machine.uuid: machine for page in self.pages for machine in page.machines}

    @property
    def unreadable(self) -> Dict[str, Unreadable]:
        return {entry.uuid: entry for page in self.pages for entry in page.unreadable}

    @property
    def problems(self) -> List[Problem]:
        return [problem for page in self.pages for problem in page.problems]


def run(cloud: OpenStack, full: bool = True, since: Optional[int] = None) -> Seen:
    """Read every listing to its end."""
    seen = Seen([], [])
    for listing in cloud.usage(lambda scope: Window(full, since), NoPast()):
        seen.listings.append(listing)
        seen.pages.extend(listing.pages)
    return seen


@pytest.fixture()
def site(tmp_path: Path) -> Iterator[Site]:
    with OpenStackSimulator(tmp_path / "openstack") as simulator:
        made = Site(simulator, tmp_path)
        yield made
        for cloud in made.clouds:
            cloud.close()


@pytest.fixture()
def read() -> Callable[..., Seen]:
    return run
