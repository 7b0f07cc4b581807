"""For every machine and month of OpenNebula the sum at the repository is the truth, as far as oned tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from hypothesis import Phase, given, settings

from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.store.opening import open_store
from tests.federation.opennebula import OnedSimulator
from tests.integration.opennebula.exactness import Oned, Step, check, play, polls
from tests.integration.opennebula.lives import Plan, plans

PROFILES = ("4.14", "5.4", "5.12", "6.10")


@pytest.fixture(scope="module", params=PROFILES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuple[Oned, Path]]:
    """One simulator for all examples, and an empty store of which each takes a copy."""
    directory = tmp_path_factory.mktemp("oned")
    open_store(directory / "store").close()
    with OnedSimulator(directory, request.param) as simulator:
        oned = Oned(simulator, directory)
        yield oned, directory / "store"
        oned.plugin.close()


# each example takes a tenth of a second or two: to make a failing one small takes minutes
@settings(
    max_examples=max(5, settings.default.max_examples // len(PROFILES)),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(plans, polls)
def test_lives_are_exact(site: Tuple[Oned, Path], lives: List[Plan], schedule: List[Step]) -> None:
    oned, store = site
    check(oned, play(oned, store, lives, schedule))


def test_what_never_ran_and_vanished_is_no_usage(site: Tuple[Oned, Path]) -> None:
    oned, store = site
    pending: Plan = (39 * DAY, 1, [(3 * DAY, 99, 0, {}, {})])
    played = play(oned, store, [pending], [(HOUR, "well", "", 0), (3 * DAY, "well", "done before", 0)])
    check(oned, played)
    assert played.lives[0].purged and not played.repository.usage()
