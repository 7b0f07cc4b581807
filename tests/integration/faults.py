"""What the tests of faults share: time that passes, failures that are told, and the centre held against the truth."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Dict, Tuple

from fedcloud_agent.clock import DAY, HOUR, month_of, month_start
from tests.federation.box import Box
from tests.federation.central.repository import Repository

START = 1768910400
"""2026-01-20 12:00: when the first servers are there."""

STEP = 4 * HOUR
"""After so long every live machine is reported anew."""

Usage = Dict[Tuple[str, int], Tuple[int, int]]
"""(wall, cpu) in seconds by machine and month."""


def begin(box: Box, servers: int = 6, days: int = 45) -> None:
    """Let servers of three months be there when the agent looks for the first time, one of them ended long ago."""
    box.set_clock(START)
    made = [box.create_server(created=START - number * DAY - number, name=f"vm-{number}") for number in range(servers)]
    box.cloud.act(made[-1], "delete", at=START + 3 * DAY)
    box.set_clock(START + days * DAY)


def pass_time(box: Box, seconds: int = STEP) -> int:
    """Let time pass for agent and cloud, and return what it is then."""
    assert box.clock.instant is not None
    box.set_clock(box.clock.instant + seconds)
    return box.clock.instant


def failed(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Check that a command ended with ``code`` and told a person why, in ``words`` and without a traceback."""
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    assert "Traceback" not in told, told
    for each in words:
        assert each in done.stderr, f"{each!r} is not said in:\n{done.stderr}"


def truth(box: Box) -> Usage:
    """Return what the machines of the clouds used in each month of their lives until now."""
    assert box.clock.instant is not None
    now = box.clock.instant
    used: Usage = {}
    for life in box.lives().values():
        last = now if life.ended is None else min(now, life.ended)
        for month in range(month_of(life.created), month_of(last) + 1):
            window = (month_start(month), min(month_start(month + 1), last))
            used[life.id, month] = (life.seconds(*window), life.cpu_seconds(*window))
    return used


def shown(repository: Repository) -> Usage:
    """Return what the repository has of each machine and month."""
    return {
        (uuid, year * 12 + month - 1): (usage.wall or 0, usage.cpu or 0)
        for (uuid, year, month), usage in repository.usage().items()
    }


def outgoing(box: Box) -> Path:
    """Return the directory that another program sends from, in a box without a broker."""
    return box.directory / "outgoing"


def loaded(box: Box) -> Repository:
    """Return a repository that has loaded every message of the outgoing directory, in the order of their names."""
    repository = Repository()
    for path in sorted(outgoing(box).glob("*/*")):
        assert not path.name.endswith(".tmp"), path
        done = repository.load(path.read_text("ascii"))
        assert done.accepted, f"{path}: {done.reason}"
    return repository


def assert_truth(box: Box, *, refused: int = 0, seconds: float = 30) -> None:
    """Check that the centre shows every machine and month as it was, and so does the sum of each month.

    What was acknowledged is waited for. ``refused``: how many messages the centre may have refused. In a box without a
    broker the centre is what loads all that lies in the outgoing directory.
    """
    due = truth(box)
    deadline = time.monotonic() + seconds
    with box.repository() if box.central is not None else loaded(box) as repository:
        while box.central is not None and shown(repository) != due and time.monotonic() < deadline:
            time.sleep(0.1)
        assert shown(repository) == due
        assert len(repository.rejects()) == refused, repository.rejects()
        assert repository.two_faced() == []
        assert box.clock.instant is not None
        assert months(repository, box.clock.instant) == by_month(due)


def months(repository: Repository, now: int) -> Dict[int, int]:
    """Let the repository sum up and return the wall time of each month, as the portal gets it."""
    sums: Dict[int, int] = {}
    for row in repository.summarise(now + 600):
        month = row.year * 12 + row.month - 1
        sums[month] = sums.get(month, 0) + (row.wall or 0)
    return sums


def by_month(used: Usage) -> Dict[int, int]:
    """Return the wall time of each month."""
    sums: Dict[int, int] = {}
    for (_, month), (wall, _) in used.items():
        sums[month] = sums.get(month, 0) + wall
    return sums


def recovers(box: Box, *, refused: int = 0) -> None:
    """Check that the next plain run, with nobody's help, brings the centre to the truth."""
    pass_time(box)
    box.agent("accounting", "run")
    assert_truth(box, refused=refused)


def change(box: Box, **values: object) -> None:
    """Replace lines of the configuration by their keys, until ``box.configure()`` writes it anew."""
    path = box.etc / "agent.yaml"
    text = path.read_text()
    for key, value in values.items():
        line = re.compile(rf"^( +{key}: ).*$", re.MULTILINE)
        assert len(line.findall(text)) == 1, f"{key} is not there once:\n{text}"
        text = line.sub(lambda found, value=value: f"{found[1]}{value}", text)  # type: ignore[misc]
    path.write_text(text)
