"""What a cloud tells of its machines, and what a replay of its recording tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional

from fedcloud_agent.clouds.contract import VirtualMachine, Window
from fedcloud_agent.recording.reading import Reading, read
from tests.federation.replay import Replay


class Told(NamedTuple):
    """What a reading came to, and the machines in the order in which they were told."""

    reading: Reading
    machines: List[VirtualMachine]


def quiet(done: int, total: Optional[int]) -> None:
    pass


def told(cloud: Any, since: Optional[int]) -> Told:
    machines: List[VirtualMachine] = []
    return Told(read(cloud, Window(True, since), None, quiet, machines.append), machines)


def replayed(plugin: Callable[..., Any], recording: Path, directory: Path) -> Told:
    """Return what a plugin reads from a recording; nothing that it asks for is missing there."""
    with Replay(directory, recording) as replay:
        cloud = plugin("replayed", replay.settings())
        found = told(cloud, replay.since)
        cloud.close()
        assert replay.missed() == []
    return found
