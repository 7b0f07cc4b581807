from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Optional

import pytest

from fedcloud_agent.infosys.kept import Kept
from fedcloud_agent.infosys.slapd.watch import Watch


class Asked(Kept):
    """Counts how often it is asked."""

    times = 0

    def wanted(self) -> Optional[str]:
        self.times += 1
        return super().wanted()


def age(path: Path) -> None:
    before = time.time() - 10
    os.utime(path, (before, before))


def test_it_is_asked_when_its_file_has_changed_and_not_otherwise(tmp_path: Path) -> None:
    kept = Asked(tmp_path / "tree.sqlite")
    watch = Watch(kept)
    assert watch.wanted() is None
    kept.note({"wanted": "one"})
    assert watch.wanted() == "one"
    age(kept.path)
    assert watch.wanted() == "one"
    before = kept.times
    assert [watch.wanted() for _ in range(5)] == ["one"] * 5 and kept.times == before
    kept.note({"wanted": "two"})
    assert watch.wanted() == "two"


def test_a_file_that_is_young_is_not_trusted_to_show_its_next_change(tmp_path: Path) -> None:
    """Two changes within one tick of the file system's clock leave the same time behind."""
    kept = Kept(tmp_path / "tree.sqlite")
    watch = Watch(kept)
    kept.note({"wanted": "one"})
    assert watch.wanted() == "one"
    status = kept.path.stat()
    kept.note({"wanted": "two"})
    os.utime(kept.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert watch.wanted() == "two"


def test_what_cannot_be_read_is_said_once_and_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(tmp_path / "tree.sqlite")
    watch = Watch(kept)
    kept.note({"wanted": "one"})
    assert watch.wanted() == "one"
    whole = kept.path.read_bytes()
    kept.path.write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.ERROR):
        assert [watch.wanted() for _ in range(3)] == ["one"] * 3
    assert len(caplog.records) == 1 and "cannot be used" in caplog.text
    kept.path.write_bytes(whole)
    kept.note({"wanted": "two"})
    assert watch.wanted() == "two"
