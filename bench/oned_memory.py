"""The largest resident set of an extraction from OpenNebula, at ten times the machines."""

from __future__ import annotations

from typing import Dict, Iterator, List

from bench import child
from bench.figure import Figure, ratio
from bench.oned import RECORDS, Oned, fleets_of
from bench.session import Session

NAME, TARGET = "oned-memory", 1.2


def measure(session: Session) -> Iterator[Figure]:
    large, small = fleets_of(session)
    many, many_again = peaks(large)
    runs: List[Dict[str, float]] = []
    for _ in range(session.turns):
        small.forget()
        few, few_again = peaks(small)
        runs.append({"ours": many, "ours again": many_again, "peer": few, "peer again": few_again})
    yield ratio(
        NAME,
        runs,
        "MB",
        TARGET,
        f"Largest resident set of 'accounting extract' of {large.size} machines of an OpenNebula with {RECORDS} "
        "history records each into an empty ledger, which asks for each machine by itself, over that of the same with "
        f"{small.size}; 'again' are those of the next run, which lists the live ones. The large one takes minutes, so "
        "it is measured once and stands in each run; at most the target.",
    )


def peaks(oned: Oned) -> List[float]:
    """Return the peaks of a first extraction, and of one after it."""
    return [oned.extract().peak, child.run(oned.command, oned.environment).peak]
