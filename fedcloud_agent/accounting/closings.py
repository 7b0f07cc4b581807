"""The closings: what machines used by month that were let go since. Sums stay where records go."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.record import KEYS, parse
from fedcloud_agent.accounting.tables import closing
from fedcloud_agent.store.bulk import run_many


class Row(NamedTuple):
    """What a closing takes from a record."""

    destination: str
    month: int
    wall: int
    cpu: int
    content: str
    key_fields: str
    published: Optional[str]


class Closing(NamedTuple):
    """The sums of one month. Seconds, GB of network, MB, GB.

    ``processors`` (wall time times CpuCount) and ``cpu_count`` are in thousandths. The last two are the first and the
    last start of any of the machines.
    """

    destination: str
    cloud: str
    site: str
    vo: str
    fqan: str
    month: int
    machines: int
    wall: int
    processors: int
    cpu: int
    cpu_count: int
    network_in: int
    network_out: int
    memory: int
    disk: int
    earliest_start: int
    latest_start: int


_KEYS = Closing._fields.index("machines")
_COLUMNS = [closing.c[name] for name in Closing._fields]
_FIRST = insert(closing)


def shares(destination: str, cloud: str, vo: str, rows: Iterable[Row]) -> Iterator[Closing]:
    """Yield what one machine adds to each month, by its records in order of time: what grew since the month before."""
    wall = cpu = network_in = network_out = 0
    for row in rows:
        keys = dict(zip(KEYS, (row.published or row.key_fields).split("\t")))
        fields = parse(row.content)
        cpus, start = round(float(keys["CpuCount"] or 0) * 1000), int(fields["StartTime"])
        gb_in, gb_out = (int(fields.get(key, 0)) for key in ("NetworkInbound", "NetworkOutbound"))
        yield Closing(
            destination,
            cloud,
            keys["SiteName"],
            vo,
            keys["FQAN"],
            row.month,
            machines=1,
            wall=row.wall - wall,
            processors=(row.wall - wall) * cpus,
            cpu=row.cpu - cpu,
            cpu_count=cpus,
            network_in=gb_in - network_in,
            network_out=gb_out - network_out,
            memory=int(fields.get("Memory", 0)),
            disk=int(fields.get("Disk", 0)),
            earliest_start=start,
            latest_start=start,
        )
        wall, cpu, network_in, network_out = row.wall, row.cpu, gb_in, gb_out


def add(connection: Connection, more: Iterable[Closing]) -> None:
    """Add shares to the closings that there are."""
    sums: Dict[Tuple[Any, ...], Closing] = {}
    for one in more:
        key = _plain(one)[:_KEYS]
        sums[key] = _together(sums[key], one) if key in sums else one
    for key, one in sums.items():
        where = [column == value for column, value in zip(_COLUMNS, key)]
        there = connection.execute(select(*_COLUMNS).where(*where)).first()
        if there is None:
            run_many(connection, _FIRST, [one._asdict()])
        else:
            connection.execute(update(closing).where(*where).values(_together(Closing._make(there), one)._asdict()))


def _together(one: Closing, other: Closing) -> Closing:
    mine, theirs = (plain[_KEYS:] for plain in (_plain(one), _plain(other)))
    return Closing._make((*_plain(one)[:_KEYS], *(a + b for a, b in zip(mine, theirs))))._replace(
        earliest_start=min(one.earliest_start, other.earliest_start),
        latest_start=max(one.latest_start, other.latest_start),
    )


def _plain(one: Closing) -> Tuple[Any, ...]:
    return tuple(one)


def between(connection: Connection, first: Optional[int] = None, last: Optional[int] = None) -> Iterator[Closing]:
    """Yield the closings of these months; None: without bound."""
    query = select(*_COLUMNS).order_by(*closing.primary_key.columns)
    if first is not None:
        query = query.where(closing.c.month >= first)
    if last is not None:
        query = query.where(closing.c.month <= last)
    for row in connection.execute(query):
        yield Closing._make(row)
