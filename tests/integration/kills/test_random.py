"""Twenty kills at random moments, of everything that can be killed; ``make torture`` does hundreds."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.torture.kills import torture

KILLS = 20


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path) -> None:
    """``TORTURE_SEED`` replays the seed that a failure shows."""
    seed = int(os.environ.get("TORTURE_SEED") or secrets.randbelow(1_000_000))
    print(f"python -m tests.torture.kills --kills {KILLS} --seed {seed}")
    told = torture(tmp_path, KILLS, seed)
    assert sum(told.kills.values()) >= KILLS and told.rows >= 10
