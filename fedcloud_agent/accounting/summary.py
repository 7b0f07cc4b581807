"""What the portal shows of a site: the repository's sums by month and VO (or another of its fields)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.centre import Keys, Sum
from fedcloud_agent.accounting.holding import MachineMonth, machine_months
from fedcloud_agent.accounting.tables import record

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
    """Return the destinations that have any record, in alphabetical order."""
    found = connection.execute(select(record.c.destination).distinct().order_by(record.c.destination))
    return list(found.scalars())


def summary(
    connection: Connection,
    destination: str,
    frozen: int,
    by: Label,
    first: Optional[int] = None,
    last: Optional[int] = None,
    clouds: Sequence[str] = (),
) -> List[Line]:
    """Return the lines of one destination, by month and label. ``frozen``: from :func:`holding.frozen_before`.

    Labels are told apart without case, as the repository does; the spelling is that of the machine first seen.
    """
    lines: Dict[Tuple[int, str], Line] = {}
    for one in machine_months(connection, destination, frozen, clouds, last=last):
        # the months before the first one asked for were needed as what it is counted from
        if first is None or one.month >= first:
            _count(lines, destination, one, by)
    return [lines[key] for key in sorted(lines)]


def _count(lines: Dict[Tuple[int, str], Line], destination: str, one: MachineMonth, by: Label) -> None:
    if one.now is not None:
        _line(lines, destination, one, by(one.cloud, one.now.keys)).now.add(*one.now)
    if one.then is not None:
        line = _line(lines, destination, one, by(one.cloud, one.then.keys))
        line.then.add(*one.then)
        line.assumed += one.assumed


def _line(lines: Dict[Tuple[int, str], Line], destination: str, one: MachineMonth, label: str) -> Line:
    key = (one.month, label.lower())
    line = lines.get(key)
    if line is None:
        line = lines[key] = Line(destination, one.month, label)
    return line
