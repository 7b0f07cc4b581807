"""A site that lives for months, the repository, and what its sums must be after a former tool and then we reported."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from fedcloud_agent.clock import DAY, month_of, month_start
from tests.federation.box import Box
from tests.federation.central.repository import Repository

Months = Dict[Tuple[str, int], Tuple[int, int]]
"""(wall, cpu) by VMUUID in lower case and month."""


class Life(NamedTuple):
    """The truth on a machine: what it had used at an instant, and between when it lived."""

    start: int
    end: Optional[int]
    used: Callable[[int], Tuple[int, int]]


class Sum(NamedTuple):
    """What the portal shows of a month."""

    wall: int
    cpu: int
    machines: int


class Centre:
    """The repository: loads what comes, sums up once a day as the real one does."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.repository = Repository()
        self._taken: Set[str] = set()
        self._summed_up = 0

    def load(self, texts: Iterable[str]) -> None:
        for text in texts:
            done = self.repository.load(text)
            assert done.accepted, done.reason

    def pass_to(self, now: int) -> None:
        """Let site, agent and repository come to an instant."""
        self.box.set_clock(now)
        if now // DAY > self._summed_up // DAY:
            self.repository.summarise(now)
            self._summed_up = now

    def agent(self) -> None:
        """Run the agent once, and load what it left for the other program."""
        self.box.agent("accounting", "run")
        files = sorted((self.box.directory / "outgoing").glob("*/*"))
        fresh = [path for path in files if str(path) not in self._taken]
        self._taken.update(map(str, fresh))
        self.load(path.read_text("ascii") for path in fresh)

    def months(self) -> Months:
        return {
            (uuid.lower(), year * 12 + month - 1): (usage.wall or 0, usage.cpu or 0)
            for (uuid, year, month), usage in self.repository.usage().items()
        }

    def sums(self, now: int) -> Dict[int, Sum]:
        """Sum up, and return the months, whichever fields their sums are told apart by."""
        found: Dict[int, Sum] = {}
        for row in self.repository.summarise(now):
            one = found.get(row.year * 12 + row.month - 1, Sum(0, 0, 0))
            one = Sum(one.wall + (row.wall or 0), one.cpu + (row.cpu or 0), one.machines + row.vms)
            found[row.year * 12 + row.month - 1] = one
        return found


def last_values(repository: Repository, before: int) -> Dict[str, Tuple[int, int]]:
    """Return how far each machine's counters stood in its last row before a month."""
    rows = [row for row in repository.records() if row.year * 12 + row.month - 1 < before]
    rows.sort(key=lambda row: row.measured or 0)
    return {row.vmuuid.lower(): (row.wall or 0, row.cpu or 0) for row in rows}


def due(lives: Dict[str, Life], former: Dict[str, Tuple[int, int]], first: int, until: int) -> Months:
    """Return what the months from ``first`` on must show: the first what the former tool left over, all the truth."""
    months: Months = {}
    for uuid, life in lives.items():
        end = until if life.end is None else min(life.end, until)
        counted = former.get(uuid, (0, 0))
        for month in range(max(first, month_of(life.start)), month_of(end) + 1):
            used = life.used(min(month_start(month + 1), end))
            months[uuid, month] = (used[0] - counted[0], used[1] - counted[1])
            counted = used
    return months


def summed(months: Months) -> Dict[int, Sum]:
    found: Dict[int, List[int]] = {}
    for (_, month), (wall, cpu) in months.items():
        one = found.setdefault(month, [0, 0, 0])
        one[0] += wall
        one[1] += cpu
        one[2] += 1
    return {month: Sum(*one) for month, one in found.items()}
