"""How soon the federation's readers are answered after a start, in starts of the bare interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List

from bench import child
from bench.figure import Figure, ratio
from bench.session import Session
from fedcloud_agent.infosys.slapd import serving
from tests.integration.infosys.serve.agent import Serve
from tests.integration.infosys.serve.trees import tree

NAME, TARGET = "infosys-start", 20.0
_PATIENCE = 120.0


def measure(session: Session) -> Iterator[Figure]:
    entries, turns = session.size(10_000, 500), session.size(9, 2)
    server = Serve()
    try:
        server.configure()
        server.keep("load-1", tree(entries))
        environment = child.environment()
        first_answer(server, environment)

        def clean() -> float:
            return first_answer(server, environment)

        def unclean() -> float:
            path = serving.path_of(server.state)
            path.write_text(json.dumps({**json.loads(path.read_text()), "boot": "another"}))
            return first_answer(server, environment)

        def peer() -> float:
            return child.run([sys.executable, "-c", "pass"], environment).wall

        peer()
        for name, start, what in (
            (NAME, clean, "its databases were kept"),
            (f"{NAME}-unclean", unclean, "the machine crashed: the tree is loaded before anybody is served"),
        ):
            yield ratio(
                name,
                in_turn(turns, start, peer),
                "s",
                TARGET,
                f"From the start of 'fedcloud-agent infosys serve' to the first answer on its port, with a tree of "
                f"{entries} images and the entries of their site; {what}; over 'python -c pass' of the same "
                "environment; at most the target.",
            )
    finally:
        server.close()


def in_turn(turns: int, ours: Callable[[], float], peer: Callable[[], float]) -> List[Dict[str, float]]:
    """The peer is so short that it is measured before and after ours."""
    runs = []
    for _ in range(turns):
        before = peer()
        took = ours()
        runs.append({"ours": took, "peer": (before + peer()) / 2})
    return runs


def first_answer(server: Serve, environment: Dict[str, str]) -> float:
    """Start it, wait for its first answer, stop it, and return the seconds to that answer."""
    program = str(Path(sys.executable).parent / "fedcloud-agent")
    command = [program, "--config", str(server.directory / "etc"), "infosys", "serve"]
    with open(os.devnull, "wb") as nowhere:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        try:
            while not server.answers():
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise RuntimeError("'infosys serve' did not answer")
                time.sleep(0.001)
            return time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(30)
