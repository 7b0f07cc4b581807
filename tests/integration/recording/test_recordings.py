"""Every recording in tests/data/recordings is a test: it is anonymous, and accounting takes it without a fault.

A new report of a bug is put there as it came; what is special about it gets a test of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fedcloud_agent.clouds.contract import STARTED, SUSPENDED
from fedcloud_agent.clouds.loading import open_cloud, settings_tables
from fedcloud_agent.recording.archive import manifest_of
from fedcloud_agent.recording.checking import check
from fedcloud_agent.recording.configured import SECRET, restored
from fedcloud_agent.recording.making import harmless_of
from tests.federation.replay.accounting import account

RECORDINGS = sorted((Path(__file__).parents[2] / "data" / "recordings").glob("*.tar.gz"))


def test_there_are_recordings() -> None:
    assert RECORDINGS


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_it_is_anonymous(recording: Path) -> None:
    manifest = manifest_of(recording)
    table = settings_tables()[0][manifest["type"]]
    settings = restored(table, manifest["settings"], {}, Path(SECRET))
    cloud = open_cloud(manifest["type"], "recording", settings)
    assert check(recording, manifest, harmless_of(cloud), table, ()) == []


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_its_records_are_made(recording: Path, tmp_path: Path) -> None:
    manifest = manifest_of(recording)
    done = account(recording, tmp_path)
    collected = done.extracted.collected
    if manifest["whole"]:
        assert done.extracted.failures == [] and done.missed == []
        assert collected.new == manifest["machines"]
        assert collected.unreadable == manifest["unreadable"]
    assert done.extracted.rejected == 0
    assert len(done.records) == done.extracted.records
    if manifest["by_status"].get(STARTED, 0) + manifest["by_status"].get(SUSPENDED, 0):
        assert done.records
