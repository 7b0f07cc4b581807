from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent import outcome
from fedcloud_agent.outcome import DamagedOutcomeError, Outcome

GOOD = Outcome(
    "accounting", "main", "r1", 100, 112, 12.34, 0, "7 machines read, 2 changed", {"machines": 7}, memory=1 << 26
)


def bad(run: str, **more: Any) -> Outcome:
    values = {"exit_code": 69, "error": "keystone does not answer", "sentence": "", "figures": {}, **more}
    return dataclasses.replace(GOOD, run=run, **values)


def test_what_is_written_is_read_back_with_what_earlier_runs_left(tmp_path: Path) -> None:
    path = outcome.path_of(tmp_path, "accounting", "main")
    assert path == tmp_path / "outcomes" / "accounting.main.json" and outcome.read(path) is None
    written = outcome.write(tmp_path, GOOD)
    assert outcome.read(path) == written == dataclasses.replace(GOOD, succeeded=112)
    assert outcome.write(tmp_path, bad("r2", finished=200)).failures == 1
    again = outcome.write(tmp_path, bad("r3", finished=300))
    assert (again.failures, again.succeeded) == (2, 112)
    assert outcome.write(tmp_path, bad("r3", error="the daemon's word on it")).failures == 2, "the same run, twice"
    assert outcome.read(path) == dataclasses.replace(
        bad("r3", error="the daemon's word on it"), failures=2, succeeded=112
    )
    assert outcome.write(tmp_path, GOOD).failures == 0


def test_sentences() -> None:
    assert outcome.describe(GOOD) == "accounting of main: 7 machines read, 2 changed (12.3 s)"
    assert outcome.describe(dataclasses.replace(GOOD, cloud=None, sentence="")) == "accounting: done (12.3 s)"
    failed = bad("r", failures=3, sentence="2 of 9 projects read")
    assert outcome.describe(failed) == (
        "accounting of main: failed (exit code 69): keystone does not answer; 2 of 9 projects read; 3 failures in a row"
        " (12.3 s)"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b'{"loop": "acc', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not an outcome"),
        (b"{}", "loop is missing"),
        ({"started": "noon"}, "started is 'noon'"),
        ({"exit_code": True}, "exit_code is True"),
        ({"cloud": 7}, "cloud is 7"),
        ({"figures": {"a": "b"}}, "figures are not all numbers"),
    ],
)
def test_a_damaged_file_is_reported_and_replaced(tmp_path: Path, content: Any, words: str) -> None:
    outcome.write(tmp_path, dataclasses.replace(GOOD, cloud="fine"))
    outcome.write(tmp_path, GOOD)
    path = outcome.path_of(tmp_path, "accounting", "main")
    if isinstance(content, dict):
        content = json.dumps({**json.loads(path.read_bytes()), **content}).encode()
    path.write_bytes(content)
    with pytest.raises(DamagedOutcomeError, match=words):
        outcome.read(path)
    found, faults = outcome.read_all(tmp_path)
    assert [o.cloud for o in found] == ["fine"] and len(faults) == 1 and str(path) in faults[0]
    assert outcome.write(tmp_path, bad("r9")).failures == 1
    assert outcome.read_all(tmp_path)[1] == []


def test_a_file_of_a_later_version_or_an_earlier_one(tmp_path: Path) -> None:
    outcome.write(tmp_path, GOOD)
    path = outcome.path_of(tmp_path, "accounting", "main")
    values = json.loads(path.read_bytes())
    del values["memory"]
    path.write_text(json.dumps({**values, "colour": "blue"}))
    assert outcome.read(path) == dataclasses.replace(GOOD, succeeded=112, memory=None)


def test_half_written_files_and_an_empty_state_are_nothing(tmp_path: Path) -> None:
    assert outcome.read_all(tmp_path) == ([], [])
    outcome.write(tmp_path, GOOD)
    (tmp_path / "outcomes" / ".accounting.other.json.12.ab.tmp").write_text("{")
    assert len(outcome.read_all(tmp_path)[0]) == 1
