from __future__ import annotations

from typing import List

from fedcloud_agent.outbox.patience import Patience


class Clock:
    def __init__(self) -> None:
        self.time = 100.0
        self.pauses: List[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


def patience(seconds: float, clock: Clock, chance: float = 0.5) -> Patience:
    return Patience(seconds, clock=lambda: clock.time, sleep=clock.sleep, chance=lambda: chance)


def test_pauses_grow_to_a_limit_and_end() -> None:
    clock = Clock()
    tried = patience(120, clock)
    while tried.failed():
        pass
    assert clock.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 28.5]
    assert clock.time == 220


def test_chance_spreads_the_pauses() -> None:
    low, high = Clock(), Clock()
    for clock, chance in ((low, 0.0), (high, 1.0)):
        tried = patience(60, clock, chance)
        tried.failed()
        tried.failed()
    assert (low.pauses, high.pauses) == ([0.25], [0.75])


def test_progress_begins_anew() -> None:
    clock = Clock()
    tried = patience(10, clock)
    for _ in range(50):
        assert tried.failed()
        clock.time += 9
        tried.progress()
    assert clock.pauses == []


def test_a_try_that_took_long_counts_from_its_begin() -> None:
    clock = Clock()
    assert not patience(10, clock).failed(since=clock.time - 10)
    assert patience(10, clock).failed(since=clock.time - 9)


def test_no_patience_at_all() -> None:
    assert not patience(0, Clock()).failed()
