"""What a person types to look before and after: dry run, show, export, ping; programs get JSON."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.federation.box import Box
from tests.federation.central.repository import Repository
from tests.integration.faults import assert_truth, begin, by_month, failed, pass_time, recovers, shown, truth


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("commands")) as running:
        begin(running)
        yield running


def dump(box: Box) -> Any:
    """Return everything that the database holds."""
    connection = sqlite3.connect(box.state / "agent.db")
    content = list(connection.iterdump())
    connection.close()
    return content


def test_a_dry_run_writes_what_would_leave_and_changes_nothing(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "messages"
    box.agent("accounting", "show")  # so that there is a database
    before = dump(box)
    report = json.loads(box.agent("accounting", "run", "--dry-run", str(file), "--json").stdout)
    assert dump(box) == before
    assert report["clouds"]["main"]["new"] == 6
    assert report["destinations"]["central"]["records"] == len(truth(box))
    with Repository() as repository:
        assert repository.load(file.read_text()).accepted
        assert shown(repository) == truth(box)
    with box.repository() as repository:
        assert repository.messages() == []
    failed(box.agent("accounting", "run", "--dry-run", str(file), check=False), 73, str(file), "does not exist yet")
    assert not list(box.state.glob("dry-run-*"))
    recovers(box)
    with Repository() as repository:
        again = tmp_path / "again"
        pass_time(box)
        box.agent("accounting", "run", "--dry-run", str(again))
        repository.load(again.read_text())
        assert {key[1] for key in shown(repository)} == {max(key[1] for key in truth(box))}
    recovers(box)


def test_what_is_shown_is_what_was(box: Box) -> None:
    recovers(box)
    months = json.loads(box.agent("accounting", "show", "--json").stdout)
    names = {2026 * 12 + number - 1: f"2026-{number:02d}" for number in range(1, 13)}
    assert {row["month"]: row["wall"] for row in months} == {
        names[month]: wall for month, wall in by_month(truth(box)).items()
    }
    assert all(row["waiting"] == row["rejected"] == 0 and row["acknowledged"] == row["machines"] for row in months)
    (first, *_) = json.loads(box.agent("accounting", "show", "--from", "2026-02", "--to", "2026-02", "--json").stdout)
    assert first["month"] == "2026-02"
    rejected = json.loads(box.agent("accounting", "show", "--rejected", "--json").stdout)
    assert rejected == {"records": [], "messages": [], "notes": []}
    table = box.agent("accounting", "show").stdout
    assert table.splitlines()[0].startswith("DESTINATION  CLOUD  MONTH")
    failed(box.agent("accounting", "show", "--from", "02-2026", check=False), 2, "'02-2026' is not a month")


def test_an_export_is_the_whole_truth(box: Box, tmp_path: Path) -> None:
    recovers(box)
    before = dump(box)
    done = box.agent("accounting", "export", "--destination", "central", "--to-directory", str(tmp_path))
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert done.stdout == f"{len(files)} messages written to {tmp_path}\n"
    with Repository() as repository:
        for path in files:
            assert repository.load(path.read_text("ascii")).accepted
        assert shown(repository) == truth(box)
    assert dump(box) == before
    failed(
        box.agent("accounting", "export", "--destination", "centre", "--to-directory", str(tmp_path), check=False),
        78,
        "'centre'",
        "configured: central",
    )


def test_a_ping_goes_all_the_way_and_counts_for_nothing(box: Box) -> None:
    recovers(box)
    assert box.broker is not None
    with box.repository() as repository:
        before = len(repository.messages())
    said = json.loads(box.agent("accounting", "send", "--ping", "--json").stdout)
    assert said == {"central": f"localhost:{box.broker.port}"}
    box.await_centre(before + 1)
    with box.repository() as repository:
        assert (repository.messages()[-1].outcome, repository.messages()[-1].records) == ("accepted", 0)
    assert_truth(box)


def test_a_failure_in_json(box: Box) -> None:
    pass_time(box)
    box.cloud.fault("status", path="auth/tokens", status=401, count=None)
    done = box.agent("accounting", "run", "--json", check=False)
    box.cloud.clear_faults()
    failed(done, 77, "refuses the login")
    (error,) = json.loads(done.stdout)["errors"]
    assert error["exit_code"] == 77 and "refuses the login" in error["message"]
    recovers(box)
