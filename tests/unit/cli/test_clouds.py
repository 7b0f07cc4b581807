from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Agent


def _write(directory: Path, clouds: str) -> Path:
    secret = directory / "secret"
    secret.write_text("x")
    (directory / "agent.yaml").write_text(f"site: A\nclouds:\n{clouds}")
    return directory


def test_types_and_clouds_are_listed_with_what_is_wrong(agent: Agent, tmp_path: Path) -> None:
    _write(tmp_path, "  good: {type: steam, pressure: 1}\n  old: {type: rusty}\n  bad: {type: steam}\n")
    answer = agent("--config", tmp_path, "clouds", "--json")
    assert answer.returncode == 78
    document = json.loads(answer.stdout)
    types = {entry["type"]: entry for entry in document["types"]}
    assert types["steam"] == {"type": "steam", "distribution": "steam-cloud", "facets": ["probe"], "fault": None}
    assert "No module named 'steam_cloud.nothing'" in types["rusty"]["fault"]
    clouds = {entry["name"]: entry for entry in document["clouds"]}
    assert clouds["good"] == {"name": "good", "type": "steam", "state": "good"}
    assert clouds["old"]["type"] == "rusty" and clouds["old"]["state"].startswith("disabled: ")
    assert f"{tmp_path}/agent.yaml:5:3: clouds.bad.pressure: missing" in clouds["bad"]["state"]


def test_a_probe_logs_in_and_the_exit_code_is_that_of_the_first_failure(agent: Agent, tmp_path: Path) -> None:
    _write(tmp_path, "  a: {type: steam, pressure: 1}\n  b: {type: steam, pressure: 9}\n")
    answer = agent("--config", tmp_path, "clouds", "--probe")
    assert answer.returncode == 77
    assert "good: logged in as stoker, the boiler room, in 0.2 s, clock -2 s" in answer.stdout
    assert "failed: the valve is shut (open it)" in answer.stdout
    assert agent("--config", tmp_path, "clouds").returncode == 0


def test_without_a_configuration_the_types_are_listed_all_the_same(agent: Agent, tmp_path: Path) -> None:
    answer = agent("--config", tmp_path / "none", "clouds")
    assert answer.returncode == 78
    assert "steam-cloud" in answer.stdout
    assert "there is no configuration" in answer.stderr
