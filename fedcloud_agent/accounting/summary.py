"""What the portal shows of a site: the repository's sums by month and VO (or another of its fields)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import closings
from fedcloud_agent.accounting.centre import Keys, Sum, read_fqan
from fedcloud_agent.accounting.closings import Closing
from fedcloud_agent.accounting.holding import MachineMonth, machine_months
from fedcloud_agent.accounting.tables import closing, record

Label = Callable[[str, Keys], str]

BY: Dict[str, Label] = {
    "vo": lambda cloud, keys: keys.vo,
    "user": lambda cloud, keys: keys.user,
    "image": lambda cloud, keys: keys.image,
    "status": lambda cloud, keys: keys.status,
    "cpus": lambda cloud, keys: f"{keys.cpu_count:g}",
    "service": lambda cloud, keys: keys.service,
    "site": lambda cloud, keys: keys.site,
    "cloud": lambda cloud, keys: cloud,
}
"""By what sums can be told apart."""

LET_GO = "(let go)"
"""The label of machines that ended so long ago that only closings are left of them, where these do not tell it."""

_OF_CLOSING: Dict[str, Callable[[Closing], str]] = {
    "vo": lambda kept: read_fqan(kept.fqan)[0],
    "site": lambda kept: kept.site,
    "cloud": lambda kept: kept.cloud,
}


@dataclass
class Line:
    """The sums of one month and label: what the portal shows, and what it will show once the rest has arrived."""

    destination: str
    month: int
    label: str
    now: Sum = field(default_factory=Sum)
    then: Sum = field(default_factory=Sum)
    assumed: int = 0
    """Machines whose share rests on what a former tool is taken to have reported (first_run: continue)."""


def destinations(connection: Connection) -> List[str]:
    """Return the destinations that have any record, or had one, in alphabetical order."""
    found: Set[str] = set()
    for table in (record, closing):
        found.update(connection.execute(select(table.c.destination).distinct()).scalars())
    return sorted(found)


def summary(
    connection: Connection,
    destination: str,
    frozen: int,
    by: str,
    first: Optional[int] = None,
    last: Optional[int] = None,
    clouds: Sequence[str] = (),
) -> List[Line]:
    """Return the lines of one destination, by month and label. ``frozen``: from :func:`packing.frozen_before`.

    ``by``: a key of BY. Machines that were let go are counted by their closings.
    Labels are told apart without case, as the repository does; the spelling is that of the machine first seen.
    """
    lines: Dict[Tuple[int, str], Line] = {}
    for one in machine_months(connection, destination, frozen, clouds, last=last):
        # the months before the first one asked for were needed as what it is counted from
        if first is None or one.month >= first:
            _count(lines, destination, one, BY[by])
    for kept in closings.between(connection, first, last):
        if kept.destination == destination and (not clouds or kept.cloud in clouds):
            label = _OF_CLOSING[by](kept) if by in _OF_CLOSING else LET_GO
            line = _line(lines, destination, kept.month, label)
            _add(line.now, kept)
            _add(line.then, kept)
    return [lines[key] for key in sorted(lines)]


def _count(lines: Dict[Tuple[int, str], Line], destination: str, one: MachineMonth, by: Label) -> None:
    if one.now is not None:
        _line(lines, destination, one.month, by(one.cloud, one.now.keys)).now.add(*one.now)
    if one.then is not None:
        line = _line(lines, destination, one.month, by(one.cloud, one.then.keys))
        line.then.add(*one.then)
        line.assumed += one.assumed


def _add(total: Sum, kept: Closing) -> None:
    total.machines += kept.machines
    for name in ("wall", "processors", "cpu", "memory", "disk", "network_in", "network_out"):
        setattr(total, name, getattr(total, name) + getattr(kept, name))
    total.cpu_count += kept.cpu_count / 1000
    total.earliest_start = min(kept.earliest_start, total.earliest_start or kept.earliest_start)
    total.latest_start = max(kept.latest_start, total.latest_start or kept.latest_start)


def _line(lines: Dict[Tuple[int, str], Line], destination: str, month: int, label: str) -> Line:
    key = (month, label.lower())
    line = lines.get(key)
    if line is None:
        line = lines[key] = Line(destination, month, label)
    return line
