"""What all tests share: how hard hypothesis tries, and which of them come first."""

from __future__ import annotations

import os
from typing import List

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile(
    "quick", settings.get_profile("suite"), max_examples=15, phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("hunt", settings.get_profile("quick"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

_LONG = (
    "tests/integration/kills/",
    "tests/integration/infosys/test_random_kills.py",
    "tests/integration/opennebula/test_exact.py",
    "tests/integration/change_over/",
    "tests/integration/test_demo.py",
    "tests/integration/test_daemon.py",
    "tests/integration/infosys/serve/",
    "tests/integration/test_faults",
)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Begin with the files that take minutes: a processor that gets one of them last keeps the others waiting."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
