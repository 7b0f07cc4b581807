"""What the daemon holds while it waits."""

from __future__ import annotations

import time
from typing import Dict, Iterator, List

import psutil

from bench.cloud import Cloud
from bench.figure import Figure, bound
from bench.session import Session

NAME, LIMIT = "idle-daemon", 40.0
_PATIENCE = 120


def measure(session: Session) -> Iterator[Figure]:
    runs: List[Dict[str, float]] = []
    with Cloud(session.room(NAME), 50) as cloud:
        for _ in range(session.turns):
            cloud.forget()
            with cloud.box.daemon() as daemon:
                assert daemon.process is not None
                runs.append({"ours": idle(psutil.Process(daemon.process.pid), cloud), "peer": LIMIT})
    yield bound(
        NAME,
        runs,
        "MB",
        "Proportional set size of 'fedcloud-agent daemon' after its first runs have ended, with one cloud and one "
        "destination; at most 40.",
    )


def idle(daemon: psutil.Process, cloud: Cloud) -> float:
    """Wait until its runs have ended and return the proportional set size in MB."""
    deadline = time.monotonic() + _PATIENCE
    quiet = 0
    while quiet < 20:
        outcomes = list(cloud.box.state.glob("**/*.json"))
        quiet = quiet + 1 if len(outcomes) > 2 and not daemon.children(recursive=True) else 0
        if time.monotonic() > deadline:
            raise RuntimeError(f"the daemon is still busy after {_PATIENCE} s: {[o.name for o in outcomes]}")
        time.sleep(0.1)
    return float(daemon.memory_full_info().pss) / (1 << 20)
