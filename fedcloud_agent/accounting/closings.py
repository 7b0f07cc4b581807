"""The closings: what machines used by month that were let go since. Sums stay where records go."""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple, Optional, Sequence

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


_KEY = ("destination", "cloud", "site", "vo", "fqan", "month")
_SUMS = tuple(name for name in Closing._fields if name not in _KEY)
_FIRST = insert(closing)


def add(connection: Connection, destination: str, cloud: str, vo: str, rows: Sequence[Row]) -> None:
    """Add one machine's months, in order of time: a month's share is what grew since the month before."""
    wall = cpu = network_in = network_out = 0
    for row in rows:
        keys = dict(zip(KEYS, (row.published or row.key_fields).split("\t")))
        fields = parse(row.content)
        gb_in, gb_out = (int(fields.get(key, 0)) for key in ("NetworkInbound", "NetworkOutbound"))
        _add(
            connection,
            Closing(
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
            ),
        )
        wall, cpu, network_in, network_out = row.wall, row.cpu, gb_in, gb_out


def _add(connection: Connection, more: Closing) -> None:
    row: Dict[str, object] = more._asdict()
    where = [closing.c[name] == row[name] for name in _KEY]
    grown = {name: closing.c[name] + row[name] for name in _SUMS}
    if connection.execute(update(closing).where(*where).values(grown)).rowcount == 0:
        run_many(connection, _FIRST, [row])


def between(connection: Connection, first: Optional[int] = None, last: Optional[int] = None) -> Iterator[Closing]:
    """Yield the closings of these months; None: without bound."""
    query = select(*[closing.c[name] for name in Closing._fields]).order_by(*[closing.c[name] for name in _KEY])
    if first is not None:
        query = query.where(closing.c.month >= first)
    if last is not None:
        query = query.where(closing.c.month <= last)
    for row in connection.execute(query):
        yield Closing._make(row)
