"""A StratusLab behind its web server: OpenNebula 3.2, images of the Marketplace, subjects without spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, List

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, Listing, NoPast, Page, Window
from fedcloud_agent.errors import RefusedError
from fedcloud_agent.settings import Secret
from fedcloud_plugins.opennebula.settings import AuthSettings, ProxySettings
from fedcloud_plugins.stratuslab.plugin import StratusLab
from fedcloud_plugins.stratuslab.settings import StratusLabSettings
from tests.federation.authority import Authority, Credential
from tests.federation.opennebula import OnedSimulator

NOW = 1_795_000_000
APPLIANCE = "http://marketplace.example.org/metadata/BN1EEkPiBx87_uLj2-sdybSI-Xb/jane@example.org/2013-05-01T10:11:12Z"
PROXY = AuthSettings(auth_type="proxy")


class Site:
    """A simulated oned 3.2 behind https, an account for the agent, and what it takes to call there."""

    def __init__(self, oned: OnedSimulator, authority: Authority, robot: Credential, directory: Path) -> None:
        self.oned, self.authority, self.robot, self.directory = oned, authority, robot, directory
        oned.set_clock(NOW)
        oned.create_group("vo.example.org")
        oned.create_user("jane", driver="x509", password="/DC=org/DC=example/CN=JaneDoe", groups=["vo.example.org"])
        oned.create_user("robot", driver="x509", password=robot.dn.replace(" ", ""), groups=["oneadmin"])
        oned.create_user("accounting", password="pw", groups=["oneadmin"])

    def cloud(self, way: str, proxy: ProxySettings) -> StratusLab:
        settings = StratusLabSettings(
            endpoint=f"{self.oned.proxy_url}/{way}/xmlrpc", auth=PROXY, proxy=proxy, cacert=self.authority.certificate
        )
        return StratusLab("main", settings)

    def by_password(self, password: str = "pw") -> StratusLab:
        path = self.directory / "secret"
        path.write_text(f"{password}\n")
        path.chmod(0o600)
        return self.cloud("pswd", ProxySettings(username="accounting", password_file=Secret(str(path))))

    def by_certificate(self) -> StratusLab:
        return self.cloud("cert", ProxySettings(certificate=self.robot.certificate, key=self.robot.key))


@pytest.fixture()
def site(tmp_path: Path) -> Iterator[Site]:
    authority = Authority(tmp_path / "ca")
    host, robot = authority.host("one.example.org"), authority.host("Robot - Accounting")
    with OnedSimulator(
        tmp_path / "oned",
        "3.2",
        certificate=host.certificate,
        key=host.key,
        client_authority=authority.certificate,
    ) as oned:
        oned.latency(0, 0)
        yield Site(oned, authority, robot, tmp_path)


def read(cloud: StratusLab) -> List[Page]:
    (listing,) = cloud.usage(lambda scope: Window(True, None), NoPast())
    assert isinstance(listing, Listing)
    pages = list(listing.pages)
    cloud.close()
    return pages


def machine(pages: List[Page]) -> Any:
    (found,) = (machine for page in pages for machine in page.machines)
    return found


def test_machines_are_named_after_their_appliance_and_their_owner(site: Site) -> None:
    vm = site.oned.create_vm("jane", created=NOW - 7200, disks=[{"SOURCE": APPLIANCE, "TARGET": "vda"}])
    site.oned.act(vm, "terminate", at=NOW - 60)
    cloud = site.by_password()
    assert cloud.cloud_type == "StratusLab"
    assert cloud.host == "127.0.0.1"
    assert "3.2.0" in cloud.probe().identity
    told = machine(read(cloud))
    assert told.image == APPLIANCE
    assert told.global_user == "/DC=org/DC=example/CN=JaneDoe"
    assert (told.vo, told.status, told.end) == ("vo.example.org", COMPLETED, NOW - 60)
    assert "one.system.version" not in site.oned.calls()


def test_a_certificate_is_a_login_too(site: Site) -> None:
    site.oned.create_vm("jane", created=NOW - 7200)
    cloud = site.by_certificate()
    assert cloud.probe().identity.startswith("robot ")
    assert machine(read(cloud)).vo == "vo.example.org"


def test_a_wrong_password_is_refused_by_the_front(site: Site) -> None:
    with pytest.raises(RefusedError, match="401"):
        site.by_password("wr0ng").probe()
