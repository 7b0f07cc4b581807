"""The truth of the cloud beside the books of the central repository, by month and VO."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Dict, List, Mapping, NamedTuple, Tuple

from fedcloud_agent.clock import month_name, month_of, month_start
from fedcloud_agent.store.engine import FILE_NAME
from tests.federation.box import Box
from tests.federation.central.repository import ACCEPTED


class Month(NamedTuple):
    """One month of one VO, in seconds: as it was, and as the repository's monthly summary shows it."""

    name: str
    vo: str
    machines: int
    wall: int
    shown_wall: int
    cpu: int
    shown_cpu: int

    @property
    def equal(self) -> bool:
        """Whether the books say the truth, to the second."""
        return (self.wall, self.cpu) == (self.shown_wall, self.shown_cpu)


class Books(NamedTuple):
    """How it ended: every month that is over, and what the repository complains of."""

    months: List[Month]
    refused: int
    """Messages that it did not take."""
    two_faced: int
    """Identities under which it got more than one content."""

    @property
    def good(self) -> bool:
        """Whether there is nothing to be ashamed of."""
        return bool(self.months) and all(month.equal for month in self.months) and not self.refused + self.two_faced


class Arrived(NamedTuple):
    """What the repository has taken in so far."""

    messages: int
    records: int
    refused: int


def close_books(box: Box, vos: Mapping[str, str], now: int) -> Books:
    """Return the state of the books at ``now``; ``vos`` names the VO of each project's id."""
    months = _compare(box, vos, now)
    with box.repository() as repository:
        two_faced = len(repository.two_faced())
    return Books(months, arrived(box).refused, two_faced)


def _compare(box: Box, vos: Mapping[str, str], now: int) -> List[Month]:
    """Compare all months that are over; a month and VO that only one side knows has zeros on the other."""
    due: Dict[Tuple[int, str], List[int]] = {}
    for life in box.cloud.truth().values():
        last = now if life.ended is None else min(now, life.ended)
        for month in range(month_of(life.created), min(month_of(last), month_of(now) - 1) + 1):
            begin, end = month_start(month), month_start(month + 1)
            entry = due.setdefault((month, vos[life.project_id]), [0, 0, 0])
            entry[0] += 1
            entry[1] += life.seconds(begin, end)
            entry[2] += life.cpu_seconds(begin, end)
    shown: Dict[Tuple[int, str], List[int]] = {}
    with box.repository() as repository:
        for row in repository.summarise(now):
            if (month := row.year * 12 + row.month - 1) < month_of(now):
                sums = shown.setdefault((month, row.vo), [0, 0])
                sums[0] += row.wall or 0
                sums[1] += row.cpu or 0
    rows = []
    for month, vo in sorted({*due, *shown}):
        machines, wall, cpu = due.get((month, vo), (0, 0, 0))
        shown_wall, shown_cpu = shown.get((month, vo), (0, 0))
        rows.append(Month(month_name(month), vo, machines, wall, shown_wall, cpu, shown_cpu))
    return rows


def arrived(box: Box) -> Arrived:
    """Return what the repository has taken in."""
    with box.repository() as repository:
        messages = repository.messages()
    good = [one for one in messages if one.outcome == ACCEPTED]
    return Arrived(len(good), sum(one.records for one in good), len(messages) - len(good))


def await_loading(box: Box, seconds: float = 60.0) -> None:
    """Wait until the repository shows every record that the agent's ledger holds as acknowledged.

    A broker's receipt is not the loading of a record: the repository reads the queue in its own time.
    """
    deadline = time.monotonic() + seconds
    while True:
        with box.repository() as repository:
            loaded = {(row.vmuuid, row.year * 12 + row.month - 1): row.measured for row in repository.records()}
        late = [key for key, measured in _acknowledged(box).items() if loaded.get(key) != measured]
        if not late:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the repository did not show {len(late)} acknowledged records within {seconds:g} s")
        time.sleep(0.05)


def unsent(box: Box) -> int:
    """Return how many records of the agent's ledger wait, for a message or for its acknowledgement."""
    with closing(_ledger(box)) as ledger:
        query = "SELECT COUNT(*) FROM record WHERE pending = 1 OR message IS NOT NULL"
        return int(ledger.execute(query).fetchone()[0])


def _acknowledged(box: Box) -> Dict[Tuple[str, int], int]:
    with closing(_ledger(box)) as ledger:
        rows = ledger.execute(
            "SELECT vm.uuid, record.month, record.measured FROM record JOIN vm ON vm.id = record.vm"
            " WHERE record.pending = 0 AND record.message IS NULL AND record.acknowledged IS NOT NULL"
        )
        return {(uuid, month): measured for uuid, month, measured in rows}


def _ledger(box: Box) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{box.state / FILE_NAME}?mode=ro", uri=True, timeout=30)
