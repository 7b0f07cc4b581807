"""Some dozens of kills while a tree of ten thousand entries changes under readers; ``make torture`` does a thousand."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.torture.tree import torture

KILLS = 24


@pytest.mark.slow
def test_readers_see_whole_trees_whatever_is_killed() -> None:
    """``TORTURE_SEED`` replays the seed that a failure shows."""
    seed = int(os.environ.get("TORTURE_SEED") or secrets.randbelow(1_000_000))
    print(f"python -m tests.torture.tree --kills {KILLS} --seed {seed}")
    told = torture(KILLS, seed)
    assert sum(told.kills.values()) == KILLS and told.answers >= KILLS
