"""The truth of the clouds beside the books of the repositories, by month, VO and cloud."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Dict, Iterator, List, Mapping, NamedTuple, Tuple, Union

from fedcloud_agent.clock import month_name, month_of, month_start
from fedcloud_agent.store.engine import FILE_NAME
from tests.federation import opennebula
from tests.federation.box import Box
from tests.federation.central.controller import CentralRepository
from tests.federation.central.repository import ACCEPTED
from tests.federation.openstack import history as openstack

CLOUDS = {"main": "cloud.example.org", "one": "one.example.org"}
"""The agent's clouds, and how records name them (CloudComputeService)."""

Life = Union[openstack.Life, opennebula.Life]
Row = Tuple[int, str, str]
"""Month, VO, cloud."""


class Sum(NamedTuple):
    """Seconds of wall time and of CPU time."""

    wall: int
    cpu: int


class Month(NamedTuple):
    """One month of one VO in one cloud: as it was, and as the monthly summary of each repository shows it."""

    name: str
    vo: str
    cloud: str
    machines: int
    true: Sum
    shown: Mapping[str, Sum]

    @property
    def equal(self) -> bool:
        """Whether all the books say the truth, to the second."""
        return bool(self.shown) and all(one == self.true for one in self.shown.values())


class Books(NamedTuple):
    """How it ended: every month that is over, and what the repositories complain of."""

    months: List[Month]
    refused: int
    """Messages that were not taken."""
    two_faced: int
    """Identities under which a repository got more than one content."""

    @property
    def good(self) -> bool:
        """Whether there is nothing to be ashamed of."""
        return bool(self.months) and all(month.equal for month in self.months) and not self.refused + self.two_faced


class Arrived(NamedTuple):
    """What a repository has taken in so far."""

    messages: int = 0
    records: int = 0
    refused: int = 0


def repositories(box: Box) -> Dict[str, CentralRepository]:
    """Return the repositories by the destinations that lead to them."""
    assert box.central is not None and box.aggregator is not None
    return {"central": box.central, "ams": box.aggregator}


def close_books(box: Box, vos: Mapping[str, str], now: int) -> Books:
    """Return the state of the books at ``now``; ``vos`` names the VO of each project's and each group's id."""
    two_faced = 0
    for one in repositories(box).values():
        with one.repository() as repository:
            two_faced += len(repository.two_faced())
    refused = sum(one.refused for one in arrived(box).values())
    return Books(_compare(box, vos, now), refused, two_faced)


def _lives(box: Box, vos: Mapping[str, str]) -> Iterator[Tuple[str, str, Life]]:
    """Yield the VO, the cloud and the life of each machine."""
    for server in box.cloud.truth().values():
        yield vos[server.project_id], "main", server
    for machine in box.oned.truth().values():
        yield vos[str(machine.gid)], "one", machine


def _compare(box: Box, vos: Mapping[str, str], now: int) -> List[Month]:
    """Compare all months that are over; what only one side knows has zeros on the other."""
    true: Dict[Row, Sum] = {}
    machines: Dict[Row, int] = {}
    for vo, cloud, life in _lives(box, vos):
        last = now if life.ended is None else min(now, life.ended)
        for month in range(month_of(life.created), min(month_of(last), month_of(now) - 1) + 1):
            begin, end = month_start(month), month_start(month + 1)
            _add(true, (month, vo, cloud), life.seconds(begin, end), life.cpu_seconds(begin, end))
            machines[month, vo, cloud] = machines.get((month, vo, cloud), 0) + 1
    shown = {name: _shown(one, now) for name, one in repositories(box).items()}
    nothing = Sum(0, 0)
    return [
        Month(
            month_name(row[0]),
            row[1],
            row[2],
            machines.get(row, 0),
            true.get(row, nothing),
            {name: sums.get(row, nothing) for name, sums in shown.items()},
        )
        for row in sorted({*true, *(row for sums in shown.values() for row in sums)})
    ]


def _shown(central: CentralRepository, now: int) -> Dict[Row, Sum]:
    clouds = {service: name for name, service in CLOUDS.items()}
    sums: Dict[Row, Sum] = {}
    with central.repository() as repository:
        for row in repository.summarise(now):
            if (month := row.year * 12 + row.month - 1) < month_of(now):
                _add(sums, (month, row.vo, clouds[row.service]), row.wall or 0, row.cpu or 0)
    return sums


def _add(sums: Dict[Row, Sum], row: Row, wall: int, cpu: int) -> None:
    before = sums.get(row, Sum(0, 0))
    sums[row] = Sum(before.wall + wall, before.cpu + cpu)


def arrived(box: Box) -> Dict[str, Arrived]:
    """Return what each repository has taken in."""
    found: Dict[str, Arrived] = {}
    for name, one in repositories(box).items():
        with one.repository() as repository:
            messages = repository.messages()
        good = [message for message in messages if message.outcome == ACCEPTED]
        found[name] = Arrived(len(good), sum(message.records for message in good), len(messages) - len(good))
    return found


def await_loading(box: Box, seconds: float = 60.0) -> None:
    """Wait until each repository shows every record that the agent's ledger holds as acknowledged.

    A receipt is not the loading of a record: a repository reads what waits for it in its own time.
    """
    deadline = time.monotonic() + seconds
    for name, one in repositories(box).items():
        while True:
            with one.repository() as repository:
                loaded = {(row.vmuuid, row.year * 12 + row.month - 1): row.measured for row in repository.records()}
            late = [key for key, measured in _acknowledged(box, name).items() if loaded.get(key) != measured]
            if not late:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not show {len(late)} acknowledged records within {seconds:g} s")
            time.sleep(0.05)


def unsent(box: Box) -> int:
    """Return how many records of the agent's ledger wait, for a message or for its acknowledgement."""
    with closing(_ledger(box)) as ledger:
        query = "SELECT COUNT(*) FROM record WHERE pending = 1 OR message IS NOT NULL"
        return int(ledger.execute(query).fetchone()[0])


def _acknowledged(box: Box, destination: str) -> Dict[Tuple[str, int], int]:
    with closing(_ledger(box)) as ledger:
        rows = ledger.execute(
            "SELECT vm.uuid, record.month, record.measured FROM record JOIN vm ON vm.id = record.vm"
            " WHERE record.pending = 0 AND record.message IS NULL AND record.acknowledged IS NOT NULL"
            " AND record.destination = ?",
            (destination,),
        )
        return {(uuid, month): measured for uuid, month, measured in rows}


def _ledger(box: Box) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{box.state / FILE_NAME}?mode=ro", uri=True, timeout=30)
