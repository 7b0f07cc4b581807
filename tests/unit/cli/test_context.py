from __future__ import annotations

from pathlib import Path

import pytest

from fedcloud_agent.cli.context import ROOMS, Context, rooms
from fedcloud_agent.settings import Sections, entries
from fedcloud_agent.site.settings import SiteSettings


def test_every_room_is_a_table_or_tables_by_name() -> None:
    found = rooms()
    assert list(found) == list(ROOMS)
    for key, room in found.items():
        assert isinstance(room, Sections) or entries(room), key


def test_the_configuration_is_read_once_and_a_reload_of_the_same_files_or_snapshot_is_equal(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("site: A\nclouds: {old: {type: nothing}}\n")
    context = Context(str(tmp_path), 0)
    assert context.directory == tmp_path
    configuration = context.configuration
    assert configuration.room(SiteSettings).name == "A"
    assert context.configuration is configuration
    assert context.load() == configuration
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_bytes(configuration.snapshot())
    snapshot.chmod(0o600)
    assert Context(str(snapshot), 0).load() == configuration
    (tmp_path / "agent.yaml").write_text("site: B\n")
    assert context.load() != configuration


def test_what_is_disabled_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agent.yaml").write_text("site: A\nclouds: {old: {type: nothing}}\n")
    context = Context(str(tmp_path), 0)
    assert context.configuration is context.configuration
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("the cloud 'old' is disabled") == 1
    assert f"{tmp_path}/agent.yaml:2:22: clouds.old.type" in said.err


def test_without_an_option_the_directory_is_the_packaged_one() -> None:
    assert Context(None, 0).directory == Path("/etc/fedcloud-agent")
