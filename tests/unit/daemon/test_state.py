from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.daemon import state
from fedcloud_agent.daemon.marked import birth
from fedcloud_agent.daemon.state import DaemonState, InProgress, Planned
from fedcloud_agent.errors import StorageError

FULL = DaemonState(
    pid=os.getpid(),
    birth=birth(os.getpid()),
    started=1,
    written=2,
    stopped=None,
    loaded=3,
    fault="agent.yaml:3:1: no",
    faults=("b",),
    loops=(Planned("accounting", "main", "every 1h", 9), Planned("accounting-send", None, "every 10min", None)),
    running=(InProgress("r", "accounting", "main", 4, 5),),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    state.write(tmp_path, FULL)
    assert state.read(tmp_path) == FULL


def test_only_the_very_process_is_alive() -> None:
    assert FULL.alive
    assert not dataclasses.replace(FULL, stopped=9).alive
    assert not dataclasses.replace(FULL, birth=(FULL.birth or 0) + 1).alive, "another process with its number"
    assert not dataclasses.replace(FULL, pid=2**22 + 1).alive


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"{}", {"pid": "x"}, {"loops": [1]}, {"running": [{"run": 1}]}, {"loops": None}, {"faults": 3}],
)
def test_damage_is_said(tmp_path: Path, damage: Any) -> None:
    state.write(tmp_path, FULL)
    path = state.path_of(tmp_path)
    if isinstance(damage, dict):
        damage = json.dumps({**json.loads(path.read_bytes()), **damage}).encode()
    path.write_bytes(damage)
    with pytest.raises(StorageError, match="daemon.json is damaged"):
        state.read(tmp_path)
