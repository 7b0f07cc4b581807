"""What it takes to be helped, in starts of the bare interpreter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

from bench import child
from bench.figure import Figure, in_turn, ratio
from bench.session import Session

NAME, TARGET = "help", 6.0


def measure(session: Session) -> Iterator[Figure]:
    environment = child.environment()
    command = [str(Path(sys.executable).parent / "fedcloud-agent"), "--help"]

    def ours() -> float:
        return child.run(command, environment).wall

    def peer() -> float:
        return child.run([sys.executable, "-c", "pass"], environment).wall

    ours(), peer()
    yield ratio(
        NAME,
        in_turn(session.size(15, 5), ours, peer),
        "s",
        TARGET,
        "'fedcloud-agent --help' over 'python -c pass' of the same environment; at most the target.",
    )
