"""Reading the answers of oned, against lxml on the same bytes."""

from __future__ import annotations

import http.client
import statistics
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List

from bench import child
from bench.figure import Figure, ratio
from bench.session import Session
from fedcloud_plugins.opennebula.xmlrpc import request
from tests.federation.opennebula import OnedSimulator

NAME, TARGET = "oned-parse", 1.3
WINDOW = 500


def measure(session: Session) -> Iterator[Figure]:
    machines = session.size(20_000, 1000)
    directory = session.room(NAME)
    files = kept(directory, machines)
    size = sum(file.stat().st_size for file in files)
    runs: List[Dict[str, float]] = []
    for _ in range(session.size(5, 1)):
        names = {"ours": "ours", "peer": "lxml", "ours bare": "ours-bare", "peer bare": "lxml-bare"}
        runs.append({key: seconds(kind, files, machines) for key, kind in names.items()})
    bare = statistics.median(run["ours bare"] for run in runs) / statistics.median(run["peer bare"] for run in runs)
    yield ratio(
        NAME,
        runs,
        "s of processor time",
        TARGET,
        f"Our streaming parser over lxml.etree.iterparse on the same bytes: {size} of the answers to "
        f"one.vmpool.infoextended with {WINDOW} machines each, {machines} in all. lxml reads the envelope and then the "
        "document that is a string in it; ours does both in one pass, and takes out what no XML may hold. On the "
        f"documents alone, their escapes undone before ('bare'), the figure is {bare:.2f}; at most the target.",
    )


def kept(directory: Path, machines: int) -> List[Path]:
    """Return files with the answers of a simulated oned."""
    files: List[Path] = []
    with OnedSimulator(directory / "oned") as oned:
        oned.latency(0, 0)
        oned.fleet(machines, int(time.time()) - 90 * 86400)
        for first in range(0, machines, WINDOW):
            connection = http.client.HTTPConnection("127.0.0.1", oned.port, timeout=60)
            body = request("one.vmpool.infoextended", oned.session, -2, first, first + WINDOW - 1, -2)
            connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
            files.append(directory / f"{first:06d}.xml")
            files[-1].write_bytes(connection.getresponse().read())
            connection.close()
    return files


def seconds(kind: str, files: List[Path], machines: int) -> float:
    """Return the processor time that one kind of reading takes."""
    said = child.run([sys.executable, "-m", "bench.pool", kind, *map(str, files)], child.environment()).output.split()
    if int(said[1]) != machines:
        raise RuntimeError(f"{kind} read {said[1]} machines instead of {machines}")
    return float(said[0])
