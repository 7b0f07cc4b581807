"""The demo as a newcomer runs it, and that it would notice books that are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.federation.demo.books import Books, Month, Sum

ROOT = Path(__file__).parents[2]
TRUE = Sum(wall=3600, cpu=7200)
RIGHT = Month("2026-02", "ops", "main", 1, TRUE, {"central": TRUE, "ams": TRUE})


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.federation.demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_months_pass_and_every_one_is_right(tmp_path: Path) -> None:
    kept = tmp_path / "box"
    done = demo("--keep", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = re.findall(r"│ (2\d{3}-\d\d) │ (\S+) +│ (\S+) ", done.stdout)
    months = ("2026-01", "2026-02", "2026-03")
    assert set(rows) == {
        *((month, "ops", "main") for month in ("2025-12", *months)),
        *((month, "vo.example.org", "main") for month in months),
        *((month, "vo.example.org", "one") for month in ("2025-12", *months)),
    }
    assert "All 11 rows are equal to the second, in both repositories." in done.stdout
    assert "power cut" in done.stdout and "(exit code 75)" in done.stdout and "Traceback" not in done.stdout
    tutorial = (ROOT / "docs" / "tutorial" / "first-site.md").read_text("utf-8")
    shown = re.findall(r"^central +(?:main|one) .*$", tutorial, re.MULTILINE)
    assert len(shown) == 11 and all(f"  {line}\n" in done.stdout for line in shown), "as the tutorial shows it"
    assert (kept / "state" / "agent.db").exists(), "there is something to look at afterwards"

    again = demo("--keep", str(kept))
    assert again.returncode == 2 and "name a directory that does not exist yet" in again.stderr


@pytest.mark.parametrize(
    "books",
    [
        Books([], 0, 0),
        Books([RIGHT, RIGHT._replace(shown={"central": TRUE, "ams": Sum(3601, 7200)})], 0, 0),
        Books([RIGHT, RIGHT._replace(shown={"central": Sum(3600, 7199), "ams": TRUE})], 0, 0),
        Books([RIGHT._replace(shown={})], 0, 0),
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
