"""A simulated oned with something to offer, and the agent's commands on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.integration.opennebula.conftest import NOW, Site

REGISTRY = "https://registry.example.org/store/vo/image"
RULE = "VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP"
DISK = {"DISK": {"IMAGE_ID": "0"}}


def populate(site: Site) -> None:
    """Let there be quotas, hosts in every condition, templates for all, for one VO and for nobody, and machines."""
    oned = site.oned
    oned.create_group("bio.example.org", id=site.bio, limits={"VMS": 50, "MEMORY": 204800})
    oned.default_limits(CPU=100, VMS=7)
    oned.create("host", "node03.cloud.example.org", state=3)
    oned.create("host", "node04.cloud.example.org", hypervisor="lxd", cpu=800, memory=16777216, reserved_cpu=200)
    oned.create("image", "alma9", id=0, size=10240, template={"VMCATCHER_EVENT_AD_MPURI": f"{REGISTRY}/1:1/"})
    oned.create("image", "ubuntu", id=1, gid=site.bio, size=10240, permissions="640")
    alma = {"VCPU": "2", "CPU": "0.5", "MEMORY": "2048", **DISK}
    oned.create("template", "AlmaLinux 9", id=0, template=alma)
    cloudkeeper = {
        "CLOUDKEEPER_APPLIANCE_MPURI": f"{REGISTRY}/2:7/",
        "CLOUDKEEPER_APPLIANCE_VERSION": "7",
        "CLOUDKEEPER_APPLIANCE_OPERATING_SYSTEM": "Linux Ubuntu 24.04",
        "CLOUDKEEPER_APPLIANCE_VO": "bio.example.org",
    }
    bio = {"VCPU": "8", "CPU": "8", "MEMORY": "65536", **cloudkeeper, "DISK": {"IMAGE_ID": "1"}}
    oned.create("template", "for bio", id=1, gid=site.bio, permissions="640", template=bio)
    oned.create("template", "the site's own", id=2, permissions="600", template=alma)
    for name in ("one", "two"):
        site.vm(name=name, memory=1024)
    stopped = site.vm("joe")
    oned.act(stopped, "suspend", at=NOW - 3600)
    site.vm("joe", deploy=False)
    ended = site.vm("joe")
    oned.act(ended, "terminate", at=NOW - 60)


def configured(site: Site, cloud: str, name: str = "etc") -> Path:
    """Write a configuration with one cloud, whose lines are given, and return its directory."""
    directory = site.directory / name
    directory.mkdir()
    secret = site.secret("opennebula")
    lines = [
        "site: EXAMPLE-SITE",
        "infosys: {contact: a@example.org, host: bdii.example.org}",
        "clouds:",
        "  main:",
        f"    endpoint: {site.oned.url}",
        f"    auth: {{username: oneadmin, password_file: {secret.source}}}",
        *(f"    {line}" for line in cloud.splitlines()),
    ]
    (directory / "agent.yaml").write_text("\n".join(lines) + "\n")
    return directory


def agent(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the agent as it is typed."""
    return subprocess.run(
        [sys.executable, "-m", "fedcloud_agent", "--config", str(directory), *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
