"""What is committed in etc/ and docs/ is what the tables of the installed rooms and plugins say today."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from fedcloud_agent.cli.context import rooms
from fedcloud_agent.cli.main import cli
from fedcloud_agent.config.loading import load
from fedcloud_agent.errors import ConfigurationError
from tests.unit.config.rooms import write

ROOT = Path(__file__).parents[3]
GENERATED = {
    "etc/agent.yaml": "sample",
    "etc/agent.schema.json": "schema",
    "docs/reference/configuration.md": "reference",
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_committed_file_is_what_the_command_prints(name: str) -> None:
    answer = CliRunner().invoke(cli, ["config", GENERATED[name]])
    assert answer.exit_code == 0, answer.output
    remedy = f"regenerate it: fedcloud-agent config {GENERATED[name]} >{name}"
    assert (ROOT / name).read_text("utf-8") == answer.output, remedy


def test_the_sample_is_a_configuration_without_a_site_and_nothing_else_wrong(tmp_path: Path) -> None:
    assert yaml.safe_load((ROOT / "etc" / "agent.yaml").read_text("utf-8")) is None
    with pytest.raises(ConfigurationError, match="a fault:\n.*site.name: missing"):
        load(write(tmp_path, (ROOT / "etc" / "agent.yaml").read_text("utf-8")), rooms())


def test_the_sample_uncommented_loads_and_keeps_to_the_schema(tmp_path: Path) -> None:
    text = re.sub(r"^( *)#(?=\S)", r"\1", (ROOT / "etc" / "agent.yaml").read_text("utf-8"), flags=re.MULTILINE)
    configuration = load(write(tmp_path, text), rooms())
    assert configuration.disabled == {}
    schema = json.loads((ROOT / "etc" / "agent.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    document = {key: value for key, value in yaml.safe_load(text).items() if value is not None}
    jsonschema.Draft7Validator(schema).validate(document)
