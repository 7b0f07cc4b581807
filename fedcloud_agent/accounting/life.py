"""How long a machine ran up to an instant, and how much CPU that was: pure functions over what the ledger holds."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

Interval = Tuple[int, Optional[int]]
Size = Tuple[int, int]


class Life(NamedTuple):
    """One machine's life, as far as it is known.

    ``running``: intervals in which it ran (the last may be open), or None if all its life counts.
    ``sizes``: (from, CpuCount) in order of time, never empty; the first holds since the start whatever its instant.
    """

    start: int
    end: Optional[int]
    running: Optional[Tuple[Interval, ...]]
    sizes: Tuple[Size, ...]


def wall(life: Life, until: int) -> int:
    """Return the seconds that it ran before ``until``; never negative, never decreasing in ``until``."""
    if life.end is not None and until > life.end:
        until = life.end
    if life.running is None:
        return max(0, until - life.start)
    total = 0
    for begin, stop in life.running:
        total += max(0, (until if stop is None or stop > until else stop) - max(begin, life.start))
    return total


def cpu(life: Life, until: int) -> int:
    """Return the seconds that it ran before ``until``, each times the CpuCount then in force."""
    if len(life.sizes) == 1:
        return wall(life, until) * life.sizes[0][1]
    total = done = 0
    for number, (_, count) in enumerate(life.sizes):
        following = life.sizes[number + 1][0] if number + 1 < len(life.sizes) else until
        ran = wall(life, min(following, until))
        if ran > done:
            total += (ran - done) * count
            done = ran
    return total


def cpu_count(life: Life, at: int) -> int:
    """Return the CpuCount in force at an instant."""
    count = life.sizes[0][1]
    for begin, size in life.sizes[1:]:
        if begin > at:
            break
        count = size
    return count


def runs(life: Life, at: int) -> Optional[bool]:
    """Tell whether it ran at an instant, or None if only its life as a whole is known."""
    if life.running is None:
        return None
    return any(begin <= at and (stop is None or at < stop) for begin, stop in life.running)


def resized(sizes: Tuple[Size, ...], count: int, at: int) -> Tuple[Size, ...]:
    """Return ``sizes`` with ``count`` in force since ``at``, unless it already is; an instant never goes back."""
    if sizes[-1][1] == count:
        return sizes
    return (*sizes, (max(at, sizes[-1][0]), count))
