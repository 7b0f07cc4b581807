"""For every machine and month the sum at the repository is the truth, where only the time that it ran counts."""

from __future__ import annotations

from typing import List, Tuple

from hypothesis import given

from tests.unit.accounting.exactness import check, lives, play, polls
from tests.unit.accounting.world import Life


@given(lives(pauses=True), polls)
def test_running_is_exact(population: List[Life], schedule: List[Tuple[int, str, int]]) -> None:
    repository, now, looks = play(population, schedule, active=True)
    check(repository, population, now, looks, active=True)
