from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.integration.infosys.serve.agent import Serve
from tests.integration.infosys.slapd import SCHEMA


@pytest.fixture()
def agent() -> Iterator[Serve]:
    """An agent that was not started yet."""
    if not (SCHEMA / "GLUE20.schema").exists() or not Path("/usr/sbin/slapd").exists():
        pytest.skip("the packages slapd and glue-schema are not installed")
    server = Serve()
    try:
        yield server
    finally:
        server.close()
