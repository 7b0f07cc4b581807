"""The sample, the reference page and the schema say what the tables say, and what they say works."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, Mapping

import jsonschema
import yaml

from fedcloud_agent.config.reference import reference
from fedcloud_agent.config.sample import sample
from fedcloud_agent.config.schema import schema
from tests.unit.config.rooms import GOOD, ROOMS, Accounting, read, write


def _uncommented(text: str) -> str:
    return re.sub(r"^( *)#(?=\S)", r"\1", text, flags=re.MULTILINE)


def test_the_sample_is_commented_out_and_explains_every_key() -> None:
    text = sample(ROOMS)
    assert yaml.safe_load(text) is None
    for key in ("site", "clouds", "pressure", "auth_url", "benchmark_type", "busy_timeout", "brokers", "second"):
        assert re.search(rf"^ *#{key}:", text, re.MULTILINE), key
    assert all(len(line) <= 120 for line in text.splitlines())
    # no two settings without an explanation between them, unless the first opens a section
    previous = ""
    for line in text.splitlines():
        if re.match(r" *#\w", line) and re.match(r" *#\w+: \S", previous):
            raise AssertionError(f"{line!r} is not explained")
        previous = line


def test_the_sample_uncommented_loads_without_fault(tmp_path: Path) -> None:
    rooms = {**ROOMS, "clouds": dataclasses.replace(ROOMS["clouds"], variants=_steam)}
    text = _uncommented(sample(rooms))
    configuration = read(write(tmp_path, text))
    assert configuration.disabled == {}
    assert list(configuration.clouds) == ["main"]
    assert configuration.room(Accounting).second is not None
    jsonschema.Draft7Validator(schema(rooms)).validate(yaml.safe_load(text))


def _steam() -> Mapping[str, Any]:
    return {"steam": ROOMS["clouds"].variants()["steam"]}


def test_the_schema_is_a_schema_and_takes_what_the_loader_takes() -> None:
    rooms = {**ROOMS, "clouds": dataclasses.replace(ROOMS["clouds"], variants=_steam)}
    described = schema(rooms)
    jsonschema.Draft7Validator.check_schema(described)
    validator = jsonschema.Draft7Validator(described)
    good = yaml.load(GOOD, Loader=yaml.BaseLoader)  # all scalars as text, as the schema's patterns want dates
    assert list(validator.iter_errors(good)) == []
    good["clouds"]["main"]["presure"] = 3
    assert "presure" in "".join(error.message for error in validator.iter_errors(good))
    del good["clouds"]["main"]["presure"], good["site"]
    assert [error.message for error in validator.iter_errors(good)] == ["'site' is a required property"]


def test_the_reference_page_has_a_row_for_each_setting() -> None:
    page = reference(ROOMS)
    for line in (
        "## `site`",
        "### `clouds.NAME` of type `steam`",
        "#### `clouds.NAME.auth`",
        "#### `clouds.NAME.vos.NAME`",
        "| `pressure` | `3` | How hot. Takes a whole number from 1 to 9. |",
        "| `auth_url` | **required** |",
        "### `accounting.destinations.NAME`",
    ):
        assert line in page, line
