"""What every test shares: how hard hypothesis tries."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile(
    "quick", settings.get_profile("suite"), max_examples=15, phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("hunt", settings.get_profile("quick"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
