"""Sizes from the site's table, the files of rOCCI 1, the documents of rOCCI 2, and templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest

from fedcloud_agent.clouds.offer import InstanceType
from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.description.settings import InstanceTypeSettings
from fedcloud_plugins.opennebula.description.sizes import (
    Size,
    of_document,
    of_documents,
    of_files,
    of_table,
    of_templates,
)
from fedcloud_plugins.opennebula.description.templates import template_of
from tests.unit.opennebula.description.lists import recorded, template

SCHEME = "http://fedcloud.example.org/occi/compute/flavour/1.0#"


def mixin(**compute: Any) -> Any:
    told = {"cores": {"Default": 2}, "memory": {"Default": 3.5}, **compute}
    return {"scheme": SCHEME, "term": "medium", "title": "Medium", "attributes": {"occi": {"compute": told}}}


def document(body: str) -> Element:
    element = Element("DOCUMENT")
    SubElement(element, "ID").text = "4"
    SubElement(SubElement(element, "TEMPLATE"), "BODY").text = body
    return element


def test_the_sites_own_table() -> None:
    small = InstanceTypeSettings(1, 2048, 20)
    large = InstanceTypeSettings(16, 65536, None, 100, "Large ones")
    assert of_table({"small": small, "large": large}, SCHEME + "{id}") == (
        InstanceType(f"{SCHEME}small", "small", 1, 2048, 20),
        InstanceType(f"{SCHEME}large", "Large ones", 16, 65536, ephemeral=100),
    )


def test_files_of_an_occi_server(tmp_path: Path) -> None:
    disk = {"ephemeral_storage": {"size": {"Default": 10.0}}}
    (tmp_path / "b.json").write_text(json.dumps({"mixins": [mixin(**disk)]}))
    (tmp_path / "a.json").write_text(json.dumps({"mixins": [{**mixin(), "term": "small", "title": ""}]}))
    (tmp_path / "notes.txt").write_text("not ours")
    found, problems = of_files(tmp_path)
    assert problems == ()
    assert found == (
        InstanceType(f"{SCHEME}small", "small", 2, 3584),
        InstanceType(f"{SCHEME}medium", "Medium", 2, 3584, ephemeral=10),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"mixins": 3}',
        json.dumps({"mixins": [mixin(cores={"Default": "two"})]}),
        json.dumps({"mixins": [mixin(cores={"Default": True})]}),
        json.dumps({"mixins": [mixin(memory={"Default": 0})]}),
        json.dumps({"mixins": [mixin(memory={"Default": float("nan")})]}),
        json.dumps({"mixins": [mixin(cores={})]}),
        json.dumps({"mixins": [mixin(), {"scheme": "x"}]}),
        "[" * 100_000,
        " " * (1024 * 1024 + 1),
    ],
)
def test_a_file_that_makes_no_sense_is_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    (tmp_path / "good.json").write_text(json.dumps({"mixins": [mixin()]}))
    found, problems = of_files(tmp_path)
    assert [one.name for one in found] == ["Medium"]
    assert [one.subject for one in problems] == [str(tmp_path / "bad.json")]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file") as error:
        of_files(tmp_path / "nowhere")
    assert error.value.exit_code == 78 and "offer.instance_type_files" in (error.value.hint or "")


def test_recorded_documents() -> None:
    sizes = [of_document(one) for one in recorded("documentpool.info_-2_-1_-1_999", "DOCUMENT_POOL")]
    assert sizes == [Size("mem_medium", "Medium memory", 2, 8192, 0)]
    assert of_documents(sizes, "{id}") == (InstanceType("mem_medium", "Medium memory", 2, 8192),)


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "{}", '{"identifier": 3}', '{"identifier": "x"}', '{"identifier":"x","occi.compute.cores":"1"}'],
)
def test_a_document_of_another_kind_is_named(body: str) -> None:
    with pytest.raises(ValueError, match="document 4 .*is no resource template"):
        of_document(document(body))


def test_the_sizes_that_templates_have() -> None:
    def sized(number: int, cores: str, memory: int, **access: Any) -> Element:
        return template(number, f"{cores}<MEMORY>{memory}</MEMORY>", **access)

    templates = [
        sized(1, "<VCPU>4</VCPU>", 8192, rights="g", gid=101),
        sized(2, "", 512),
        sized(3, "<VCPU>4</VCPU>", 8192, rights="g", gid=100),
        sized(4, "<VCPU>64</VCPU>", 999999, rights=""),
        template(5, "<VCPU>2</VCPU>"),
    ]
    found = of_templates(map(template_of, templates), frozenset({100, 101}), ())
    assert found == (
        InstanceType("1-cores-512-MB", "1 core, 512 MB", 1, 512, shares=("100", "101")),
        InstanceType("4-cores-8192-MB", "4 cores, 8192 MB", 4, 8192, shares=("100", "101")),
    )
    assert of_templates([], frozenset({100}), ()) == ()
