"""A fresh store for each test."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.store.engine import Store
from fedcloud_agent.store.opening import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()
