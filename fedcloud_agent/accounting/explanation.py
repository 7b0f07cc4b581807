"""All that can be told of one machine: what the cloud said, which records that made, and what the repository shows."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting import reasons
from fedcloud_agent.accounting.centre import Figures, read_figures
from fedcloud_agent.accounting.holding import Held, MachineMonth, machine_months
from fedcloud_agent.accounting.life import wall
from fedcloud_agent.accounting.making import Stream, life_of, streams
from fedcloud_agent.accounting.packing import frozen_before
from fedcloud_agent.accounting.record import KEYS
from fedcloud_agent.accounting.settings import FirstRun
from fedcloud_agent.accounting.tables import record, scope, vm
from fedcloud_agent.clouds.contract import VirtualMachine
from fedcloud_agent.outbox.table import message


class Machine(NamedTuple):
    """What the cloud last said of it, and when."""

    told: VirtualMachine
    cloud: str
    wall: Optional[int]
    """Seconds that it ran so far; None: never started."""
    sizes: Tuple[Tuple[int, int], ...]
    """(since, CpuCount), where it was resized."""
    first_seen: int
    alive_at: Optional[int]
    listed_at: Optional[int]
    """When the cloud was last listed to the end."""


class Whereabouts(NamedTuple):
    """How far the records of one month got. Instants; None: it did not happen."""

    pending: bool
    """The newest waits to be put into a message."""
    message: Optional[str]
    packed: Optional[int]
    attempted: Optional[int]
    """When the message was first handed to the other side."""
    acknowledged: Optional[int]
    peer: Optional[str]
    rejected: Optional[str]


class Month(NamedTuple):
    """The newest record of one month, where it is, and what the repository makes of it."""

    month: int
    keys: Dict[str, str]
    figures: Figures
    where: Whereabouts
    frozen: bool
    """The month is no longer tidied, so that its key fields stay as they were published."""
    otherwise: Dict[str, Tuple[str, str]]
    """Key fields that the repository shows otherwise than the record has them now: (recorded, shown)."""
    now: Optional[Held]
    then: Optional[Held]
    assumed: bool


class Account(NamedTuple):
    """A machine at one destination. ``remarks``: why something is missing or not as one might expect."""

    destination: str
    first_run: Optional[FirstRun]
    months: List[Month]
    remarks: List[str]


class Explanation(NamedTuple):
    """One machine, from the cloud to the portal."""

    machine: Machine
    remarks: List[str]
    accounts: List[Account]


def explain(
    connection: Connection,
    machine: int,
    destinations: Mapping[str, int],
    first_run: Optional[FirstRun],
    now: int,
) -> Explanation:
    """Return what is known of a machine, by its id in the ledger.

    ``destinations``: those to tell of, each with how long its repository tidies a month (packing.Limits).
    ``first_run``: as it is configured now, for destinations that have no record yet.
    """
    row = connection.execute(select(vm).where(vm.c.id == machine)).one()
    as_of = connection.execute(
        select(scope.c.as_of).where(scope.c.cloud == row.cloud, scope.c.name == row.scope)
    ).scalar()
    begun = streams(connection, row.cloud)
    accounts = []
    for name, tidied in destinations.items():
        months = _months(connection, machine, name, frozen_before(now, tidied))
        remarks = reasons.of_destination(row, begun.get(name), first_run, [one.month for one in months])
        if months:
            remarks += reasons.of_end(row, months[-1].month, months[-1].keys["Status"])
        accounts.append(Account(name, _policy(begun.get(name)), months, remarks))
    return Explanation(_machine(row, as_of, now), reasons.of_machine(row), accounts)


def recorded_destinations(connection: Connection, machine: int) -> List[str]:
    """Return the destinations that have records of a machine, be they configured or not, in alphabetical order."""
    found = connection.execute(
        select(record.c.destination).distinct().where(record.c.vm == machine).order_by(record.c.destination)
    )
    return list(found.scalars())


def _policy(begun: Optional[Stream]) -> Optional[FirstRun]:
    return begun.first_run if begun is not None else None


def _machine(row: Any, as_of: Optional[int], now: int) -> Machine:
    life = life_of(row.start or 0, row.end, row.running, row.sizes, row.cpu_count)
    told = VirtualMachine(**{**{name: row._mapping[name] for name in VirtualMachine._fields}, "running": life.running})
    until = row.end if row.end is not None else row.alive_at or now
    ran = wall(life, until) if row.start is not None else None
    return Machine(told, row.cloud, ran, life.sizes if row.sizes else (), row.first_seen, row.alive_at, as_of)


def _months(connection: Connection, machine: int, destination: str, frozen: int) -> List[Month]:
    rows = connection.execute(
        select(record, message.c.created, message.c.attempted)
        .outerjoin(message, message.c.id == record.c.message)
        .where(record.c.destination == destination, record.c.vm == machine)
        .order_by(record.c.month)
    ).all()
    held = {one.month: one for one in machine_months(connection, destination, frozen, machine=machine)}
    return [_month(row, held[row.month], frozen) for row in rows]


def _month(row: Any, held: MachineMonth, frozen: int) -> Month:
    keys = dict(zip(KEYS, row.key_fields.split("\t")))
    shown = dict(zip(KEYS, (row.published or row.key_fields).split("\t")))
    return Month(
        row.month,
        keys,
        read_figures(row.figures),
        Whereabouts(
            bool(row.pending), row.message, row.created, row.attempted, row.acknowledged, row.peer, row.rejected
        ),
        row.published is not None and row.month < frozen,
        {key: (keys[key], shown[key]) for key in KEYS if keys[key] != shown[key]},
        held.now,
        held.then,
        held.assumed,
    )
