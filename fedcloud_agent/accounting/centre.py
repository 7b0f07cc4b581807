"""What the central repository makes of records: its rules, as pure functions over what the ledger keeps of each record.

The repository holds one row for each machine and month, the last that was loaded. A machine used in a month what its
cumulative counters grew by since its row before (none: since 0). These differences are summed by the fields of
``record.KEYS``, texts compared without case; the portal shows these sums, and multiplies wall time by CpuCount.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Mapping, NamedTuple, Optional, Tuple

from fedcloud_agent.accounting.record import KEYS

NOBODY = "None"
"""What the repository stores for a text that is missing."""

_FIGURES = ("StartTime", "WallDuration", "CpuDuration", "NetworkInbound", "NetworkOutbound", "Memory", "Disk")


class Figures(NamedTuple):
    """The numbers of a record as they stand in it: seconds since the machine's start, GB of network, MB, GB."""

    measured: int
    start: Optional[int]
    wall: Optional[int]
    cpu: Optional[int]
    network_in: Optional[int]
    network_out: Optional[int]
    memory: Optional[int]
    disk: Optional[int]


class Keys(NamedTuple):
    """The fields by which the repository sums up, as it understands them."""

    site: str
    service: str
    user: str
    vo: str
    group: str
    role: str
    status: str
    image: str
    cpu_count: float
    benchmark_type: str
    benchmark: float


class Usage(NamedTuple):
    """What one machine used within one month. None: its row does not tell."""

    wall: Optional[int] = None
    cpu: Optional[int] = None
    network_in: Optional[int] = None
    network_out: Optional[int] = None


NOTHING = Usage()


def figures_of(fields: Mapping[str, str], measured: int) -> str:
    """Return the numbers of a record as the text in which the ledger keeps them: by tabs, a null as nothing."""
    return "\t".join([str(measured), *[fields.get(key, "") for key in _FIGURES]])


def read_figures(text: str) -> Figures:
    """Return what :func:`figures_of` wrote."""
    return Figures._make([int(value) if value else None for value in text.split("\t")])


@lru_cache(maxsize=65536)
def read_keys(text: str) -> Keys:
    """Return the key fields of a record, which :func:`record.keys_of` wrote, as the repository reads them."""
    values = dict(zip(KEYS, text.split("\t")))
    vo, group, role = read_fqan(_known(values["FQAN"]))
    return Keys(
        _known(values["SiteName"]),
        _known(values["CloudComputeService"]),
        _known(values["GlobalUserName"]),
        vo,
        group,
        role,
        _known(values["Status"]),
        _known(values["ImageId"]),
        float(values["CpuCount"] or 0),
        _known(values["BenchmarkType"]),
        float(values["Benchmark"] or 0),
    )


def _known(value: str) -> str:
    return NOBODY if value.lower() in ("", "none", "null") else value


def read_fqan(fqan: str) -> Tuple[str, str, str]:
    """Return VO, VO group and VO role as the repository takes them from an FQAN; a bare name is a VO and no more."""
    first = fqan.partition(";")[0]
    if not first.startswith("/"):
        return first, NOBODY, NOBODY
    items = first[1:].split("/")
    group = ""
    for item in filter(None, items):
        if item.lower().startswith("role="):
            return items[0], group, item
        group += f"/{item}"
    return items[0], group, NOBODY


def grown(now: Figures, before: Usage) -> Usage:
    """Return what a month shows: a counter that is missing now tells nothing, one that was missing counts in full."""
    return Usage(
        None if now.wall is None else now.wall - (before.wall or 0),
        None if now.cpu is None else now.cpu - (before.cpu or 0),
        None if now.network_in is None else now.network_in - (before.network_in or 0),
        None if now.network_out is None else now.network_out - (before.network_out or 0),
    )


def counters(figures: Figures) -> Usage:
    """Return what the next month of the same machine is counted from."""
    return Usage(figures.wall, figures.cpu, figures.network_in, figures.network_out)


@dataclass
class Sum:
    """One sum of the repository, or several of its sums put together. Seconds, GB of network, MB, GB."""

    machines: int = 0
    wall: int = 0
    processors: int = 0
    """Wall time times CpuCount, which the portal calls elapsed time times processors, in thousandths of a second."""
    cpu: int = 0
    cpu_count: float = 0
    memory: int = 0
    disk: int = 0
    network_in: int = 0
    network_out: int = 0
    earliest_start: Optional[int] = None
    latest_start: Optional[int] = None

    def add(self, keys: Keys, figures: Figures, usage: Usage) -> None:
        """Count one machine's month."""
        wall = usage.wall or 0
        self.machines += 1
        self.wall += wall
        self.processors += wall * round(keys.cpu_count * 1000)
        self.cpu += usage.cpu or 0
        self.cpu_count += keys.cpu_count
        self.memory += figures.memory or 0
        self.disk += figures.disk or 0
        self.network_in += usage.network_in or 0
        self.network_out += usage.network_out or 0
        if figures.start is not None:
            self.earliest_start = min(figures.start, self.earliest_start or figures.start)
            self.latest_start = max(figures.start, self.latest_start or figures.start)
