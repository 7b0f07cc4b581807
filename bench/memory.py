"""The largest resident set of an extraction, at ten times the servers."""

from __future__ import annotations

from typing import Dict, Iterator, List

from bench import child
from bench.cloud import Cloud
from bench.figure import Figure, ratio
from bench.session import Session

NAME, TARGET = "memory", 1.2


def measure(session: Session) -> Iterator[Figure]:
    many, few = session.size(100_000, 2000), session.size(10_000, 200)
    runs: List[Dict[str, float]] = []
    with Cloud(session.room(NAME), many) as large, Cloud(session.room(NAME), few) as small:
        for _ in range(session.turns):
            run: Dict[str, float] = {}
            for key, cloud in (("ours", large), ("peer", small)):
                cloud.forget()
                run[key] = cloud.extract().peak
                run[f"{key} again"] = child.run(cloud.command, cloud.environment).peak
            runs.append(run)
    yield ratio(
        NAME,
        runs,
        "MB",
        TARGET,
        f"Largest resident set of 'accounting extract' of {many} servers into an empty ledger, over that of the same "
        f"with {few}; 'again' are those of the next run, which lists what changed; at most the target.",
    )
