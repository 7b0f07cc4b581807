"""An oned as the information system publishes it: every form, every rule, whatever its things are called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import List

import pytest

from tests.integration.opennebula.conftest import Site, profile, site
from tests.integration.opennebula.offers import DISK, REGISTRY, agent, configured, populate

__all__ = ["profile", "site"]

CLOUD = """\
type: opennebula
offer: {public: {url: "https://occi.example.org:11443", interface: OCCI, interface_version: "1.2"}}
"""
NASTY = (
    *("a,b", "a+b=c", 'say "hi"', "#number", "back\\slash", "dn: cn=evil", "o=glue", "GLUE2DomainID=OTHER,o=glue"),
    *("  ", "caf\u00e9 \u540d\u524d", "line\nbreak", "x" * 4000, "<b>&amp;", "{id}{term}", "../..", "%2C", "_"),
)


def rendered(directory: Path, form: str) -> str:
    done = agent(directory, "infosys", "render", "--format", form)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def values(tree: str, attribute: str) -> List[str]:
    return [line.partition(": ")[2] for line in tree.splitlines() if line.startswith(f"{attribute}: ")]


@pytest.mark.parametrize("profile", ["4.14", "5.4", "5.12", "6.10"])
def test_every_form_is_rendered_and_keeps_the_rules(site: Site) -> None:
    populate(site)
    directory = configured(site, CLOUD)
    tree = rendered(directory, "ldif")
    assert values(tree, "GLUE2EndpointInterfaceName")[-1:] == ["OCCI"]
    assert "https://occi.example.org:11443" in values(tree, "GLUE2EndpointURL")
    assert values(tree, "GLUE2ApplicationEnvironmentAppName") == ["AlmaLinux 9", "for bio"]
    assert values(tree, "GLUE2ApplicationEnvironmentRepository") == [f"{REGISTRY}/1:1/", f"{REGISTRY}/2:7/"]
    assert values(tree, "GLUE2ComputingManagerTotalLogicalCPUs")[0] == "64"
    assert values(tree, "GLUE2ExecutionEnvironmentMainMemorySize") == ["2048", "65536"]
    other = values(tree, "GLUE2EntityOtherInfo")
    assert "quota_instances=50" in other and "max_vm=50" in other and "used_instances=2" in other
    assert f"image={REGISTRY}/2:7/,7,1" in other

    document = json.loads(rendered(directory, "json"))
    assert [one["ID"] for one in document["CloudComputingImage"]] == ["0", "1"]
    assert [one["MaxVM"] for one in document["Share"]] == [7, 50]
    assert [one["RunningVM"] for one in document["CloudComputingService"]] == [2]
    table = rendered(directory, "table")
    assert "bio.example.org" in table and "OCCI" in table

    checked = agent(directory, "infosys", "check")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("0 errors, ")


def test_whatever_things_are_called_the_rules_are_kept(site: Site) -> None:
    populate(site)
    for number, name in enumerate(NASTY, 10):
        told = {"CLOUDKEEPER_APPLIANCE_MPURI": f"{REGISTRY}/{name}", "DESCRIPTION": name, **DISK}
        system = {"CLOUDKEEPER_APPLIANCE_OPERATING_SYSTEM": name, "CLOUDKEEPER_APPLIANCE_VERSION": name}
        # in names, which it writes without protection, oned takes no markup
        plain = re.sub("[<>&]", "", name)
        site.oned.create("template", plain, id=number, template={**told, **system})
        site.oned.create("host", plain, template={"HYPERVISOR": name, "ARCH": name})
    directory = configured(site, CLOUD.replace("{public", '{image_ids: "http://x#{term}_{id}", public'))
    tree = agent(directory, "infosys", "render", "--format", "ldif")
    assert tree.returncode == 0, tree.stderr
    (directory / "tree.ldif").write_text(tree.stdout)
    checked = agent(directory, "infosys", "check", "--file", str(directory / "tree.ldif"))
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("0 errors, ")
    assert len(values(tree.stdout, "GLUE2ApplicationEnvironmentAppName")) >= len(NASTY)
    assert len(json.loads(agent(directory, "infosys", "render", "--format", "json").stdout)["CloudComputingImage"]) == (
        len(NASTY) + 2
    )


def test_problems_and_errors_are_told_in_words(site: Site) -> None:
    populate(site)
    directory = configured(site, "type: opennebula")
    done = agent(directory, "infosys", "render")
    assert done.returncode == 0
    assert f"cloud main: {site.oned.url}: people elsewhere cannot reach it" in done.stderr
    site.oned.fault("html", r"one\.templatepool\.info", count=None)
    done = agent(directory, "infosys", "render")
    assert done.returncode == 69 and f"cloud main: {site.oned.url} answered 502" in done.stderr
    site.oned.clear_faults()
    wrong = configured(site, "type: opennebula\nvos: {ops: {group: no-such}}", "wrong")
    done = agent(wrong, "infosys", "render")
    assert done.returncode == 78 and "group no-such" in done.stderr
    both = 'instance_types: {s: {cpu: 1, memory: 512}}, instance_type_files: /etc/occi, image_ids: "no id"'
    done = agent(configured(site, f"type: opennebula\noffer: {{{both}}}", "both"), "config", "check")
    assert done.returncode == 78
    assert "image_ids" in done.stdout + done.stderr


def test_the_cloud_is_listed_as_one_that_describes_itself(site: Site) -> None:
    done = agent(configured(site, CLOUD), "clouds")
    assert done.returncode == 0 and "describe" in done.stdout
