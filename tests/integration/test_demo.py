"""The demo as a newcomer runs it, and that it would notice books that are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.federation.demo.books import Books, Month

ROOT = Path(__file__).parents[2]
RIGHT = Month("2026-02", "ops", 1, wall=3600, shown_wall=3600, cpu=7200, shown_cpu=7200)


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.federation.demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_months_pass_and_every_one_is_right(tmp_path: Path) -> None:
    kept = tmp_path / "box"
    done = demo("--keep", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = re.findall(r"│ (2\d{3}-\d\d) │ (\S+) ", done.stdout)
    assert set(rows) == {
        ("2025-12", "ops"),
        *((month, vo) for month in ("2026-01", "2026-02", "2026-03") for vo in ("ops", "vo.example.org")),
    }
    assert "All 7 rows are equal to the second." in done.stdout
    assert "power cut" in done.stdout and "(exit code 75)" in done.stdout and "Traceback" not in done.stdout
    tutorial = (ROOT / "docs" / "tutorial" / "first-site.md").read_text("utf-8")
    shown = re.findall(r"^central +main .*$", tutorial, re.MULTILINE)
    assert len(shown) == 7 and all(f"  {line}\n" in done.stdout for line in shown), "as the tutorial shows it"
    assert (kept / "state" / "agent.db").exists(), "there is something to look at afterwards"

    again = demo("--keep", str(kept))
    assert again.returncode == 2 and "name a directory that does not exist yet" in again.stderr


@pytest.mark.parametrize(
    "books",
    [
        Books([], 0, 0),
        Books([RIGHT, RIGHT._replace(shown_wall=3601)], 0, 0),
        Books([RIGHT, RIGHT._replace(shown_cpu=7199)], 0, 0),
        Books([RIGHT], 1, 0),
        Books([RIGHT], 0, 1),
    ],
)
def test_wrong_books_are_noticed(books: Books) -> None:
    assert not books.good
    assert Books([RIGHT], 0, 0).good


def test_help() -> None:
    done = demo("--help")
    assert done.returncode == 0 and "--keep DIR" in done.stdout
