"""What the how-tos promise, done as they say, with the agent's own commands on a simulated cloud."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box

NOW = 1768813200  # 2026-01-19 09:00
START = NOW - 40 * DAY  # in December


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path / "box", broker=False, settings="resend: 4h") as box:
        box.set_clock(NOW)
        for name in ("one", "two"):
            box.create_server(name=name, created=START)
        yield box


def spool(box: Box) -> List[Path]:
    return sorted(path for path in (box.directory / "outgoing").glob("*/*") if path.is_file())


def records(text: str) -> int:
    return text.count("\n%%\n")


def test_before_the_choice_everything_but_sending_works(box: Box) -> None:
    read = box.agent("accounting", "extract")
    assert "2 new machines" in read.stderr and "accounting.first_run is not set" in read.stderr
    refused = box.agent("accounting", "run", check=False)
    assert refused.returncode == 78 and "{baseline: DATE}" in refused.stderr
    assert spool(box) == []


def test_a_dry_run_shows_what_would_leave_and_changes_nothing(box: Box, tmp_path: Path) -> None:
    box.agent("accounting", "extract")
    box.configure(settings="first_run: backfill")
    file = tmp_path / "would-leave"
    done = box.agent("accounting", "run", "--dry-run", str(file))
    assert f"dry run: 1 message with 4 records in {file}, none sent" in done.stderr
    assert records(file.read_text()) == 4 and spool(box) == []
    assert "2025-12" not in box.agent("accounting", "show").stdout
    again = box.agent("accounting", "run", "--dry-run", str(file), check=False)
    assert again.returncode == 73 and "name a file that does not exist yet" in again.stderr

    box.agent("accounting", "run")
    (sent,) = spool(box)
    assert sent.read_text() == file.read_text()


def test_baseline_takes_away_what_was_used_before_its_date(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: {baseline: 2026-01-01}")
    file = tmp_path / "would-leave"
    box.agent("accounting", "run", "--dry-run", str(file))
    since = 18 * DAY + 9 * 3600
    assert records(file.read_text()) == 2 and file.read_text().count(f"WallDuration: {since}\n") == 2


def test_a_backup_put_in_place_and_marked_is_followed_by_everything_anew(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: backfill")
    box.agent("accounting", "run")
    assert len(spool(box)) == 1
    backup, ledger = tmp_path / "backup.db", box.state / "agent.db"
    shutil.copy(box.state / "agent.copy.db", backup)
    for part in box.state.glob("agent.db*"):
        part.unlink()
    shutil.copy(backup, ledger)
    sqlite3.connect(ledger).execute("PRAGMA user_version = 1")

    box.set_clock(NOW + DAY)
    box.agent("accounting", "run")
    assert len(spool(box)) == 2 and "2025-12" in box.agent("accounting", "show").stdout
    assert {records(path.read_text()) for path in spool(box)} == {4}


def test_an_export_holds_the_newest_records(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: backfill")
    box.agent("accounting", "run")
    target = tmp_path / "exported"
    target.mkdir()
    words = ("accounting", "export", "--destination", "central", "--to-directory", str(target), "--from", "2026-01")
    assert "1 messages written" in box.agent(*words).stdout
    (file,) = (path for path in target.iterdir() if path.is_file())
    assert records(file.read_text()) == 2
