"""``infosys render`` and ``infosys check``, as they are typed, with a third party's cloud."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Agent

DESCRIBING = """
from fedcloud_agent.clouds.contract import Cloud, DescribeFacet, Problem
from fedcloud_agent.clouds.offer import CloudOffer, Endpoint, Image, InstanceType, Share
from fedcloud_agent.errors import UnreachableError
import time

class Steam(Cloud, DescribeFacet):
    cloud_type = "Steam"
    host = "steam.example.org"

    def describe(self):
        if self.settings.pressure > 8:
            raise UnreachableError("the boiler is cold", hint="light it")
        return CloudOffer(
            int(time.time()),
            (Endpoint("https://steam.example.org/", "Steam", "1.0"),),
            shares=(Share("ops", "p"),),
            instance_types=(InstanceType("1", "small", 1, 512, 1), InstanceType("2", "of no size")),
            images=(Image("i", "Kettle", "https://registry.example.org/kettle"),),
            problems=(Problem("project x", "is sealed"),),
        )

    def close(self):
        pass
"""


@pytest.fixture
def directory(tmp_path: Path, agent: Agent) -> Path:
    """Return a configuration of one cloud, whose plugin describes itself."""
    (tmp_path / "installed" / "steam_cloud" / "plugin.py").write_text(DESCRIBING)
    configured = tmp_path / "etc"
    configured.mkdir()
    (configured / "agent.yaml").write_text(
        "site: EXAMPLE-SITE\n"
        "clouds:\n  main: {type: steam, pressure: 2}\n"
        "infosys: {contact: a@example.org, host: bdii.example.org}\n"
    )
    return configured


ASIDE = "set aside: GLUE2ResourceID=steam.example.org_main_type_2: K005"


def test_the_tree_is_printed_and_what_is_left_out_is_named(agent: Agent, directory: Path) -> None:
    answer = agent("--config", directory, "infosys", "render", "--format", "ldif")
    assert answer.returncode == 0
    assert ASIDE in answer.stderr and "cloud main: project x: is sealed" in answer.stderr
    assert "\ndn: GLUE2DomainID=EXAMPLE-SITE,o=glue\n" in answer.stdout
    assert "_type_1," in answer.stdout and "_type_2" not in answer.stdout


def test_a_tree_that_was_rendered_is_without_error_and_the_offer_is_not(agent: Agent, directory: Path) -> None:
    tree = agent("--config", directory, "infosys", "render", "--format", "ldif").stdout
    (directory / "tree.ldif").write_text(tree)
    good = agent("--config", directory, "infosys", "check", "--file", directory / "tree.ldif")
    assert good.returncode == 0 and good.stdout.splitlines()[-1].startswith("0 errors, ")
    bad = agent("--config", directory, "infosys", "check")
    assert bad.returncode == 65 and "K005" in bad.stdout
    found = json.loads(agent("--config", directory, "infosys", "check", "--json").stdout)
    assert {one["severity"] for one in found} == {"error", "warning", "info"}
    everything = agent("--config", directory, "infosys", "check", "--all").stdout
    assert len(everything.splitlines()) == len(found) + 2


def test_an_offer_that_was_printed_renders_to_the_same_tree(agent: Agent, directory: Path) -> None:
    offer = directory / "offer.json"
    offer.write_text(agent("--config", directory, "infosys", "render", "--format", "offer").stdout)
    for form in ("json", "table"):
        command = ("--config", directory, "infosys", "render", "--format", form)
        asked, read = agent(*command), agent(*command, "--offer", offer)
        assert (read.returncode, asked.returncode) == (0, 0)
        assert len(asked.stdout) == len(read.stdout) > 100 and ASIDE in read.stderr
    document = json.loads(asked_json(agent, directory, offer))
    assert [one["ID"] for one in document["CloudComputingInstanceType"]] == ["1"]
    wrong = agent("--config", directory, "infosys", "render", "--offer", offer, "--cloud", "other")
    assert wrong.returncode == 2 and "it holds main" in wrong.stderr


def asked_json(agent: Agent, directory: Path, offer: Path) -> str:
    return agent("--config", directory, "infosys", "render", "--format", "json", "--offer", offer).stdout


def test_a_cloud_that_fails_is_named_and_the_others_are_shown(agent: Agent, directory: Path) -> None:
    main = directory / "agent.yaml"
    main.write_text(main.read_text().replace("clouds:\n", "clouds:\n  cold: {type: steam, pressure: 9}\n"))
    answer = agent("--config", directory, "infosys", "render")
    assert answer.returncode == 69 and "cloud cold: the boiler is cold" in answer.stderr
    assert "https://steam.example.org/" in answer.stdout
    alone = agent("--config", directory, "infosys", "render", "--cloud", "cold")
    assert (alone.returncode, alone.stdout) == (69, "") and alone.stderr.count("boiler") == 1
    both = agent("--config", directory, "infosys", "render", "--format", "json")
    assert both.returncode == 69


def test_a_cloud_that_cannot_describe_itself_is_named(agent: Agent, directory: Path) -> None:
    plugin = directory.parent / "installed" / "steam_cloud" / "plugin.py"
    plugin.write_text(plugin.read_text().replace("(Cloud, DescribeFacet)", "(Cloud)"))
    answer = agent("--config", directory, "infosys", "render")
    assert answer.returncode == 78 and "DescribeFacet" in answer.stderr


def test_what_the_configuration_lacks_is_said(agent: Agent, directory: Path) -> None:
    main = directory / "agent.yaml"
    main.write_text(main.read_text().replace("contact: a@example.org, ", ""))
    answer = agent("--config", directory, "infosys", "render")
    assert answer.returncode == 78 and "infosys.contact" in answer.stderr
    main.write_text(main.read_text().replace("infosys: {", "infosys: {contact: a@example.org, clouds: {mian: {}}, "))
    answer = agent("--config", directory, "infosys", "render")
    assert answer.returncode == 78 and "'mian', which is not configured" in answer.stderr


def test_a_file_and_clouds_exclude_each_other(agent: Agent, directory: Path) -> None:
    answer = agent("--config", directory, "infosys", "check", "--file", directory / "agent.yaml", "--cloud", "main")
    assert answer.returncode == 2
    answer = agent("--config", directory, "infosys", "check", "--file", directory / "agent.yaml")
    assert answer.returncode == 65 and "LDIF" in answer.stderr
    answer = agent("--config", directory, "infosys", "check", "--file", directory / "missing")
    assert answer.returncode == 2 and "missing cannot be read: No such file" in answer.stderr


def test_half_a_position_is_a_fault(agent: Agent, directory: Path) -> None:
    main = directory / "agent.yaml"
    main.write_text(main.read_text().replace("infosys: {", "infosys: {location: {latitude: 1}, "))
    answer = agent("--config", directory, "config", "check")
    assert answer.returncode == 78 and "needs 'latitude' and 'longitude'" in answer.stdout + answer.stderr


def test_rendering_is_dated_now(agent: Agent, directory: Path) -> None:
    document = json.loads(agent("--config", directory, "infosys", "render", "--format", "json").stdout)
    created = document["CloudComputingService"][0]["CreationTime"]
    assert created[:10] == time.strftime("%Y-%m-%d", time.gmtime())
