from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import List, Tuple

import pytest

from fedcloud_agent import clock, outcome
from fedcloud_agent.cli.main import main
from fedcloud_agent.daemon import state as states
from fedcloud_agent.daemon.marked import birth
from fedcloud_agent.daemon.state import DaemonState, Planned
from fedcloud_agent.outcome import Outcome


@pytest.fixture
def site(tmp_path: Path) -> Tuple[Path, Path]:
    """Its configuration and its state."""
    etc, state = tmp_path / "etc", tmp_path / "state"
    etc.mkdir()
    state.mkdir()
    (etc / "agent.yaml").write_text(f"site: EXAMPLE-SITE\ndirectories: {{state: {state}}}\n")
    return etc, state


def good(cloud: str = "main") -> Outcome:
    now = clock.now()
    return Outcome("accounting", cloud, "r", now - 700, now - 660, 40.0, 0, "7 machines read", {"backlog": 3})


def living(**more: object) -> DaemonState:
    now = clock.now()
    base = DaemonState(
        pid=os.getpid(),
        birth=birth(os.getpid()),
        started=now - 90000,
        written=now,
        loops=(Planned("accounting", "main", "every 1h", now + 2900),),
    )
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def status(etc: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Tuple[int, List[str]]:
    code = main(["--config", str(etc), "status", *options])
    return code, capsys.readouterr().out.splitlines()


def test_all_is_well(site: Tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    etc, state = site
    states.write(state, living())
    outcome.write(state, good())
    code, lines = status(etc, capsys)
    assert code == 0 and lines[0].startswith("The daemon runs since 20") and str(os.getpid()) in lines[0]
    assert lines[2].split("  ")[0] == "LOOP"
    cells = [cell.strip() for cell in lines[3].split("  ") if cell.strip()]
    assert cells[:2] == ["accounting of main", "good"] and cells[3:5] == ["7 machines read", "3"]
    assert cells[2].startswith("11 min") and cells[2].endswith("ago, 40.0 s") and cells[5].startswith("in 48 min")
    code, lines = status(etc, capsys, "--json")
    told = json.loads("\n".join(lines))
    assert code == 0 and told["well"] and told["daemon"]["alive"]
    assert told["loops"][0]["verdict"] == "good" and told["loops"][0]["last"]["figures"] == {"backlog": 3}


def test_a_failure_shows_its_error_and_its_remedy(site: Tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    etc, state = site
    states.write(state, living())
    for run in "ab":
        outcome.write(state, dataclasses.replace(good(), run=run, exit_code=69, error="no answer", hint="is it up?"))
    code, lines = status(etc, capsys)
    assert code == 75 and "failed, 2 times" in lines[3] and "no answer (69)" in lines[3]
    assert lines[4] == "accounting of main: is it up?"


def test_whatever_keeps_it_from_being_well_is_said(site: Tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    etc, state = site
    code, lines = status(etc, capsys)
    assert code == 75 and lines == ["The daemon has never run here."]

    outcome.write(state, good())
    for daemon, words in (
        (living(stopped=clock.now()), "The daemon does not run: it was stopped at "),
        (living(birth=1), "The daemon does not run: it died after "),
        (living(fault="agent.yaml:1:1: no"), "A newer configuration is not in use: agent.yaml:1:1: no"),
        (living(faults=("clouds.b: no",)), "Left out: clouds.b: no"),
    ):
        states.write(state, daemon)
        code, lines = status(etc, capsys)
        assert code == 75 and any(line.startswith(words) for line in lines), words
        assert any("7 machines read" in line for line in lines), "the loops are told all the same"

    states.write(state, living())
    (state / "outcomes" / "accounting.broken.json").write_text("{")
    code, lines = status(etc, capsys)
    assert code == 75 and any(line.startswith("Damaged: ") and "accounting.broken.json" in line for line in lines)
    states.path_of(state).write_text("{")
    code, lines = status(etc, capsys)
    assert code == 75 and any(line.startswith("Damaged: ") and "daemon.json" in line for line in lines)


def test_with_a_faulty_configuration_the_default_place_is_looked_at(
    site: Tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    etc, _ = site
    (etc / "agent.yaml").write_text("site: [\n")
    code = main(["--config", str(etc), "status"])
    told = capsys.readouterr()
    assert code == 75 and "so this is what /var/lib/fedcloud-agent tells" in told.err
