"""Kill a command at every point of a kind."""

from __future__ import annotations

import itertools
from typing import Callable, Sequence

from tests.federation.preloaded import Preloaded


def everywhere(
    agent: Preloaded, calls: Sequence[str], words: Sequence[str], before: Callable[[], None], after: Callable[[], None]
) -> int:
    """Kill a command at every point, ``before`` and ``after`` each time; return how often it was killed."""
    kills = 0
    for call in calls:
        for number in itertools.count(1):
            before()
            done = agent.run_until(call, number, *words)
            if not done.killed:
                assert done.code == 0, done.said
            try:
                after()
            except AssertionError as error:
                raise AssertionError(f"killed at {call} {number}: {error}") from error
            if not done.killed:
                break
            kills += 1
    print(f"{' '.join(words)}: killed at {kills} points")
    return kills
