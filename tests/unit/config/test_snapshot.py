from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcloud_agent.config.configuration import decode_snapshot
from fedcloud_agent.errors import ConfigurationError
from tests.unit.config.rooms import GOOD, read, write


def _snapshot(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_a_snapshot_is_read_back_as_the_same_configuration(tmp_path: Path) -> None:
    text = GOOD.replace(
        "accounting:\n", "  rusty: {type: rusty}\n  twice: {type: steam, type: steam}\naccounting:\n", 1
    )
    before = read(write(tmp_path / "c", text, z="accounting: {since: 2026-10-01, limit: 10s}\n"))
    assert sorted(before.disabled) == ["rusty", "twice"]
    after = read(_snapshot(tmp_path / "snapshot", before.snapshot()))
    assert after == before
    assert after.snapshot() == before.snapshot()
    assert list(after.clouds) == ["main"]
    assert [str(f) for f in after.disabled["twice"]] == [str(f) for f in before.disabled["twice"]]


def test_a_snapshot_does_not_hold_what_the_files_of_secrets_hold(tmp_path: Path) -> None:
    secret = tmp_path / "keystone.secret"
    secret.write_text("hunter2")
    configuration = read(write(tmp_path / "c", GOOD.replace("/etc/steam.secret", str(secret))))
    assert b"hunter2" not in configuration.snapshot()
    assert str(secret).encode() in configuration.snapshot()


def test_a_snapshot_outlives_the_files_that_it_was_made_of(tmp_path: Path) -> None:
    directory = write(tmp_path / "c")
    snapshot = _snapshot(tmp_path / "snapshot", read(directory).snapshot())
    (directory / "agent.yaml").write_text("half: [edited")
    assert list(read(snapshot).clouds) == ["main"]


def test_a_snapshot_that_others_may_read_is_refused(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path / "snapshot", read(write(tmp_path / "c")).snapshot())
    snapshot.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0644"):
        read(snapshot)


def test_a_yaml_file_is_no_snapshot_and_the_hint_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a snapshot") as caught:
        read(write(tmp_path) / "agent.yaml")
    assert "directory" in str(caught.value.hint)


def test_a_snapshot_of_another_format_says_so(tmp_path: Path) -> None:
    document = json.loads(read(write(tmp_path)).snapshot())
    document["format"] = 99
    with pytest.raises(ConfigurationError, match="format 99"):
        decode_snapshot(json.dumps(document).encode(), Path("s"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["what", "format", "directory", "root", "faults", "at", "key", "map", "list", "value"]), inner
    ),
    max_leaves=12,
)


@given(_json, _json)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_garbage_for_a_snapshot_is_a_configuration_error(root: Any, faults: Any) -> None:
    document = {"what": "fedcloud-agent configuration", "format": 1, "directory": "/x", "root": root, "faults": faults}
    for data in (json.dumps(document).encode(), json.dumps(root).encode()):
        try:
            decode_snapshot(data, Path("s"))
        except ConfigurationError:
            continue


def test_a_deeply_nested_document_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        decode_snapshot(b'{"root":' + b"[" * 100_000, Path("s"))
