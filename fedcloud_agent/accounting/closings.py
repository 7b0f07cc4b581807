"""The closings: what machines used by month that were let go since. Sums stay where records go."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

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
    """The sums of one month. Seconds; ``processors`` in thousandths of them; network and disk GB, memory MB."""

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
    network_in: int
    network_out: int
    memory: int
    disk: int


_KEYS = Closing._fields.index("machines")
_SUMS = Closing._fields[_KEYS:]
_FIRST = insert(closing)


def shares(destination: str, cloud: str, vo: str, rows: Iterable[Row]) -> Iterator[Closing]:
    """Yield what one machine adds to each month, by its records in order of time: what grew since the month before."""
    wall = cpu = network_in = network_out = 0
    for row in rows:
        keys = dict(zip(KEYS, (row.published or row.key_fields).split("\t")))
        fields = parse(row.content)
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
            processors=(row.wall - wall) * round(float(keys["CpuCount"] or 0) * 1000),
            cpu=row.cpu - cpu,
            network_in=gb_in - network_in,
            network_out=gb_out - network_out,
            memory=int(fields.get("Memory", 0)),
            disk=int(fields.get("Disk", 0)),
        )
        wall, cpu, network_in, network_out = row.wall, row.cpu, gb_in, gb_out


def add(connection: Connection, more: Iterable[Closing]) -> None:
    """Add shares to the closings that there are."""
    sums: Dict[Tuple[Any, ...], List[int]] = {}
    for one in more:
        plain: Tuple[Any, ...] = tuple(one)
        total = sums.setdefault(plain[:_KEYS], [0] * len(_SUMS))
        for number, value in enumerate(plain[_KEYS:]):
            total[number] += value
    for key, total in sums.items():
        row: Dict[str, Any] = Closing._make((*key, *total))._asdict()
        where = [closing.c[name] == row[name] for name in Closing._fields[:_KEYS]]
        grown = {name: closing.c[name] + row[name] for name in _SUMS}
        if connection.execute(update(closing).where(*where).values(grown)).rowcount == 0:
            run_many(connection, _FIRST, [row])


def between(connection: Connection, first: Optional[int] = None, last: Optional[int] = None) -> Iterator[Closing]:
    """Yield the closings of these months; None: without bound."""
    query = select(*[closing.c[name] for name in Closing._fields]).order_by(*closing.primary_key.columns)
    if first is not None:
        query = query.where(closing.c.month >= first)
    if last is not None:
        query = query.where(closing.c.month <= last)
    for row in connection.execute(query):
        yield Closing._make(row)
