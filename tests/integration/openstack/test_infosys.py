"""``infosys render`` and ``infosys check`` against a simulated site, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Callable

import pytest
import yaml

Agent = Callable[..., "subprocess.CompletedProcess[str]"]
HOSTILE = (
    'a,b="c" +d\\e\ndn: o=glue, o=glue\x00\u202e\ud83d\ude00 \u017elu\u0165ou\u010dk\u00fd <script> GLUE2EndpointURL: x'
)


@pytest.fixture()
def agent(site: Any) -> Agent:
    """Return what runs one command of the agent, for the site as ``reader`` sees it."""
    simulator, directory = site.simulator, site.directory
    # the clock of the tree is that of this machine
    simulator.set_clock(None)
    (directory / "secret").write_text("pw\n")
    (directory / "secret").chmod(0o600)

    def run(username: str, *words: str) -> subprocess.CompletedProcess[str]:
        auth = {
            "auth_url": simulator.auth_url,
            "username": username,
            "user_domain_name": "Default",
            "password_file": str(directory / "secret"),
        }
        configuration = {
            "site": "EXAMPLE-SITE",
            "directories": {name: str(directory / name) for name in ("state", "spool", "runtime")},
            "clouds": {"main": {"type": "openstack", "auth": auth, "vos": {"bio.example.org": {"project": "vo-bio"}}}},
            "infosys": {"contact": "cloud-support@example.org", "host": "bdii.example.org"},
        }
        (directory / "agent.yaml").write_text(yaml.safe_dump(configuration))
        command = [sys.executable, "-m", "fedcloud_agent", "--config", str(directory), "infosys", *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    return run


def furnish(site: Any) -> None:
    simulator = site.simulator
    simulator.create_hypervisor("node1")
    simulator.create_user("full", password="pw", roles={"vo-ops": ["admin"], "vo-bio": ["reader"]})
    specs = {"Accelerator:Type": "GPU", "Accelerator:Number": "1", "Accelerator:Vendor": "NVIDIA"}
    simulator.create_flavor("gpu", 16, 65536, 100, id="gpu", extra_specs=specs, is_public=False, access=[site.bio])
    simulator.set_quota("vo-ops", instances=10, cores=40, ram=51200)
    simulator.set_service("object-store", "https://swift.example.org/v1/AUTH_%(project_id)s")
    site.server()


@pytest.mark.parametrize("username", ["full", "reader", "admin-agent"])
def test_the_tree_is_without_error(site: Any, agent: Agent, username: str) -> None:
    furnish(site)
    done = agent(username, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("0 errors, ")
    assert ("may not read them" in done.stderr) == (username == "reader")


def test_the_tree_says_what_there_is(site: Any, agent: Agent) -> None:
    furnish(site)
    tree = agent("full", "render", "--format", "ldif")
    assert tree.returncode == 0, tree.stderr
    assert "set aside" not in tree.stderr
    for word in (
        "GLUE2PolicyRule: VO:ops\n",
        "VO:bio.example.org\n",
        "quota_cores=40\n",
        "GLUE2EndpointURL: https://swift",
    ):
        assert word in tree.stdout
    assert "hosts=1\n" in tree.stdout
    assert "accelerator=GPU,1,NVIDIA" in tree.stdout


def test_the_document_and_the_table(site: Any, agent: Agent) -> None:
    furnish(site)
    document = json.loads(agent("full", "render", "--format", "json").stdout)
    (image,) = document["CloudComputingImage"]
    assert image["MarketplaceURL"] == "https://images.example.org/appliances/7:2/"
    (manager,) = document["CloudComputingManager"]
    assert (manager["HypervisorName"], manager["TotalCPUs"], manager["InstanceMaxCPU"]) == ("QEMU", 64, 16)
    (accelerator,) = document["CloudComputingVirtualAccelerator"]
    assert (accelerator["Type"], accelerator["Associations"]) == ("GPU", {"CloudComputingInstanceType": ["gpu"]})
    ops = next(one for one in document["Share"] if one["ProjectID"] == site.ops)
    assert ops["OtherInfo"]["quotas"] == {"instances": 10, "cores": 40, "ram": 51200}
    assert (ops["MaxVM"], ops["RunningVM"], ops["InstanceMaxCPU"]) == (10, 1, 8)
    table = agent("full", "render")
    assert table.returncode == 0
    assert site.simulator.auth_url in table.stdout
    assert "bio.example.org" in table.stdout


def test_names_that_would_break_a_tree(site: Any, agent: Agent) -> None:
    simulator = site.simulator
    simulator.create_user("full", password="pw", roles={"vo-ops": ["admin"], "vo-bio": ["reader"]})
    simulator.create_hypervisor(HOSTILE, kind=HOSTILE, cpu_info={"arch": HOSTILE})
    simulator.change_project("vo-ops", description=HOSTILE, name=HOSTILE)
    specs = {f"Accelerator:{name}": HOSTILE for name in ("Type", "Number", "Vendor", "Model", "Memory")}
    simulator.create_flavor(HOSTILE, 1, 512, 1, id=HOSTILE, extra_specs=specs)
    words = {"os_distro": HOSTILE, "os_version": HOSTILE, "architecture": HOSTILE, "description": HOSTILE}
    simulator.create_image(HOSTILE, id=HOSTILE, vmcatcher_event_ad_mpuri=HOSTILE, **words)
    simulator.create_image("half \ud800 a character", id="half", vmcatcher_event_ad_mpuri="\udfff")
    simulator.set_service("object-store", "https://swift.example.org/a b/,dn:/v1")
    done = agent("full", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image half: it cannot be read and is not on offer: name 'half \\ud800 a character'" in done.stderr
    offer = agent("full", "render", "--format", "offer")
    assert offer.returncode == 0, offer.stderr
    (site.directory / "offer.json").write_text(offer.stdout)
    for form in ("ldif", "json", "table"):
        shown = agent("full", "render", "--format", form, "--offer", str(site.directory / "offer.json"))
        assert (shown.returncode, "set aside" in shown.stderr) == (0, False), (form, shown.stderr)


def test_a_cloud_that_is_away_is_named(site: Any, agent: Agent) -> None:
    site.simulator.fault("status", path="/flavors/detail", status=404, count=None)
    done = agent("reader", "render")
    assert done.returncode == 65
    assert "cloud main: http://127.0.0.1" in done.stderr
