from __future__ import annotations

import json
from pathlib import Path
from typing import List

import pytest

from tests.unit.cli.conftest import Agent, imported

HEAVY = {"alembic", "apscheduler", "cryptography", "jsonschema", "keystoneauth1", "ldap", "psutil", "requests"}
HEAVY |= {"rich", "sqlalchemy", "stomp", "urllib3"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    secret = tmp_path / "steam.secret"
    secret.write_text("hunter2")
    secret.chmod(0o640)
    (tmp_path / "agent.yaml").write_text(
        f"site: EXAMPLE-SITE\nclouds:\n  main: {{type: steam, pressure: 3, password_file: {secret}}}\n"
    )
    return tmp_path


def _add(directory: Path, text: str) -> None:
    with (directory / "agent.yaml").open("a") as file:
        file.write(text)


def test_check_says_that_all_is_good(agent: Agent, directory: Path) -> None:
    answer = agent("--config", directory, "config", "check")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "The configuration is good: 1 cloud (main), from 1 file.\n"
    document = json.loads(agent("--config", directory, "config", "check", "--json").stdout)
    assert document == {"good": True, "usable": True, "clouds": ["main"], "disabled": [], "faults": []}


def test_check_prints_the_lines_with_their_faults_and_ends_with_78(agent: Agent, directory: Path) -> None:
    _add(directory, "  other: {type: steam, pressure: 12}\nstore: {busy_timeout: 1}\n")
    answer = agent("--config", directory, "config", "check")
    assert answer.returncode == 78
    assert answer.stdout.splitlines() == [
        f"{directory}/agent.yaml:",
        "    4 |   other: {type: steam, pressure: 12}",
        "      |                                  ^ clouds.other.pressure: found 12; "
        "expected a whole number from 1 to 9",
        "    5 | store: {busy_timeout: 1}",
        "      |                       ^ store.busy_timeout: found 1: 1 has no unit; expected a duration from 1s to "
        "10min, with a unit (s, min, h, d), such as 90s or 4h",
        "",
        "2 faults in 1 file. The agent does not start with this configuration.",
    ]


def test_check_shows_a_disabled_cloud_and_a_secret_that_others_can_read(agent: Agent, directory: Path) -> None:
    _add(directory, "  old: {type: rusty}\n")
    (directory / "steam.secret").chmod(0o644)
    answer = agent("--config", directory, "config", "check")
    assert answer.returncode == 78
    assert "No module named 'steam_cloud.nothing'" in answer.stdout
    assert "can be read by others" in answer.stdout
    assert answer.stdout.endswith("2 faults in 1 file. Disabled: old; everything else runs.\n")
    document = json.loads(agent("--config", directory, "config", "check", "--json").stdout)
    assert (document["good"], document["usable"], document["disabled"]) == (False, True, ["old"])
    assert [(f["kind"], f["path"], f["line"], f["column"]) for f in document["faults"]] == [
        ("plugin", "clouds.old.type", 4, 15),
        ("secret", "clouds.main.password_file", 3, 51),
    ]


def test_show_tells_where_each_value_comes_from(agent: Agent, directory: Path) -> None:
    (directory / "conf.d").mkdir()
    (directory / "conf.d" / "10-hot.yaml").write_text("clouds:\n  main:\n    pressure: 8\n")
    answer = agent("--config", directory, "config", "show", "clouds.main", "--no-defaults")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [line.split() for line in answer.stdout.splitlines()] == [
        ["SETTING", "VALUE", "ORIGIN"],
        ["clouds.main.type", "steam", f"{directory}/agent.yaml:3"],
        ["clouds.main.pressure", "8", f"{directory}/conf.d/10-hot.yaml:3"],
        ["clouds.main.password_file", f"{directory}/steam.secret", f"{directory}/agent.yaml:3"],
    ]
    rows = json.loads(agent("--config", directory, "config", "show", "--json").stdout)
    assert {"path": "store.busy_timeout", "value": "1min", "origin": None} in rows
    answer = agent("--config", directory, "config", "show", "clouds.mian")
    assert answer.returncode == 2 and "did you mean 'clouds.main'" in answer.stderr


def test_every_command_that_reads_the_configuration_says_what_is_disabled(agent: Agent, directory: Path) -> None:
    _add(directory, "  old: {type: rusty}\n")
    for command in (["config", "show"], ["clouds"]):
        answer = agent("--config", directory, *command)
        assert answer.stderr.count("the cloud 'old' is disabled") == 1, command


def test_faults_that_stop_everything_are_said_by_every_command(agent: Agent, directory: Path) -> None:
    _add(directory, "stor: {}\n")
    answer = agent("--config", directory, "config", "show")
    assert (answer.returncode, answer.stdout) == (78, "")
    assert f"{directory}/agent.yaml:4:1: stor: 'stor' is no key here; did you mean 'store'?" in answer.stderr


def test_a_missing_configuration_names_the_place_and_the_remedy(agent: Agent, tmp_path: Path) -> None:
    answer = agent("--config", tmp_path / "none", "config", "check")
    assert answer.returncode == 78
    assert str(tmp_path / "none") in answer.stderr and "config sample" in answer.stderr


@pytest.mark.parametrize(
    "command",
    [["--help"], ["config", "--help"], ["config", "check"], ["config", "show"], ["config", "sample"]],
    ids=" ".join,
)
def test_no_heavy_library_is_imported(agent: Agent, directory: Path, command: List[str]) -> None:
    answer = agent("--config", directory, *command, modules=True)
    assert answer.returncode == 0, answer.stderr
    found = imported(answer)
    assert "click" in found
    assert found & HEAVY == set()
    if "--help" in command:
        assert found & {"yaml", "dataclasses", "pathlib"} == set()
    if command == ["config", "check"]:
        assert "steam_cloud" in found
