"""The guard: a list that lacks too many people is more often a broken list than a mass departure. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Iterable, List, Mapping, Sequence, Tuple

from fedcloud_agent.users.population import Population
from fedcloud_agent.users.steps import Guard, Step

FLOOR = 5
SHARE = 0.1


Place = Tuple[str, str]
"""A facility and a VO."""


def bound(owned: int) -> float:
    """Return how many of so many active accounts may be lost at once: a tenth or five, but never more than half."""
    return min(max(FLOOR, SHARE * owned), owned / 2)


def guarded(
    steps: Sequence[Step], populations: Iterable[Population], bases: Mapping[Place, int]
) -> Tuple[Tuple[Step, ...], Tuple[Guard, ...]]:
    """Return the steps with all removals held in each VO of a facility that loses too many, and those VOs.

    Where a list has nobody at all for a VO in which somebody would lose an account, it is held whatever the number.
    ``bases`` holds how many we owned when a VO was first held: those whom the same list brought since do not count, so
    that repeating a list never loosens the guard.
    """
    listed: Counter[Place] = Counter()
    for population in populations:
        for person in population.persons:
            listed.update({(population.facility, one.vo) for one in person.memberships})
    owned: Counter[Place] = Counter()
    losers: Counter[Place] = Counter()
    removals: Counter[Place] = Counter()
    for step in steps:
        if step.before is None:
            continue
        place = (step.before.facility, step.vo)
        active = step.account is not None and step.account.active and step.account.mark == step.before.mark
        owned[place] += active
        if step.removal and step.changes:
            removals[place] += 1
            losers[place] += active
    guards: List[Guard] = [
        Guard(*place, losers=losers[place], owned=base, listed=listed[place])
        for place in sorted(removals)
        for base in [min(owned[place], bases.get(place, owned[place]))]
        if losers[place] > bound(base) or not listed[place]
    ]
    held = {(guard.facility, guard.vo) for guard in guards}
    return (
        tuple(
            dataclasses.replace(step, guarded=True)
            if step.removal and step.before is not None and (step.before.facility, step.vo) in held
            else step
            for step in steps
        ),
        tuple(guards),
    )
