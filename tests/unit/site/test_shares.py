"""VOs of projects as files and names tell them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.site.shares import read_voms_json, vo_of


@pytest.mark.parametrize(
    ("fqan", "vo"),
    [
        ("ops", "ops"),
        ("/ops", "ops"),
        ("/ops/Role=NULL/Capability=NULL", "ops"),
        ("/vo.example.org/group/Role=admin;/other", "vo.example.org"),
        (" vo.example.org ", "vo.example.org"),
    ],
)
def test_the_vo_of_a_fqan(fqan: str, vo: str) -> None:
    assert vo_of(fqan) == vo


@pytest.mark.parametrize("fqan", ["", "/", "//x", "a/b", "two words", "a\nb", ";ops"])
def test_no_vo(fqan: str) -> None:
    with pytest.raises(ValueError, match="names no VO"):
        vo_of(fqan)


def test_both_forms_of_voms_json(tmp_path: Path) -> None:
    path = tmp_path / "voms.json"
    path.write_text(
        json.dumps(
            {
                "ops": {"projects": ["egi-ops", "egi-ops-2"]},
                "vo.example.org": {"tenant": "vo-example"},
                "/vo.example.org/Role=admin": {"tenant": "vo-example"},
            }
        )
    )
    assert read_voms_json(path) == {"egi-ops": "ops", "egi-ops-2": "ops", "vo-example": "vo.example.org"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"ops": "project"}', "expected an object"),
        ('{"ops": {"projects": "project"}}', "not a list"),
        ('{"ops": {"projects": [7]}}', "not the name"),
        ('{"a": {"tenant": "p"}, "b": {"tenant": "p"}}', "'p' is given to 'a' and to 'b'"),
        ('{"/": {"tenant": "p"}}', "names no VO"),
    ],
)
def test_a_voms_json_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "voms.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_voms_json(path)
    assert str(path) in str(caught.value)


def test_a_voms_json_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_voms_json(tmp_path / "voms.json")
