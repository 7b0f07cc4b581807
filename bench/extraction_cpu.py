"""The processor time of a first extraction, against that of parsing the JSON that it reads."""

from __future__ import annotations

import sys
from typing import Iterator

from bench import child
from bench.child import Start
from bench.cloud import Cloud
from bench.figure import Figure, in_turn, ratio
from bench.first_extraction import fetching
from bench.session import Session

NAME, TARGET = "extraction-cpu", 15.0


def measure(session: Session) -> Iterator[Figure]:
    servers = session.size(10_000, 600)
    directory = session.room(NAME)
    with Cloud(directory, servers) as cloud:
        start = Start(cloud.command, cloud.environment, directory / "ours.modules")
        pages = directory / "pages"
        child.run([*fetching(cloud), str(pages)], cloud.environment)

        def ours() -> float:
            cloud.forget()
            idle = start.cost().cpu
            return cloud.extract().cpu - idle

        def peer() -> float:
            return float(child.run([sys.executable, "-m", "bench.parse", str(pages)], cloud.environment).output)

        runs = in_turn(session.turns, ours, peer)
    yield ratio(
        NAME,
        runs,
        "s of processor time",
        TARGET,
        f"User and system time of 'accounting extract' of {servers} servers into an empty ledger, without that of a "
        "process that only imports the same modules, over that of json.loads of the bodies of the same pages; at most "
        "the target.",
    )
