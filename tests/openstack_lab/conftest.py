"""One cloud for all tests here: it takes minutes to come up."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from tests.openstack_lab.lab import Lab
from tests.openstack_lab.world import World


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    # whoever ends the tests gently ends the services with them
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="openstack-lab-") as directory, Lab(Path(directory)) as running:
        yield running


@pytest.fixture(scope="session")
def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(lab, tmp_path_factory.mktemp("sites"))
