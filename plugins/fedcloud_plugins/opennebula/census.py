"""What the ledger holds alive before a listing begins, and a guard: a machine under two names is counted twice."""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, Iterable, Mapping, NamedTuple

from fedcloud_agent.clouds.contract import VirtualMachine
from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.vmuuid import Naming, id_of


class Ids:
    """A set of ids, a bit for each: a hundred thousand machines must not be dear to remember."""

    def __init__(self) -> None:
        self._pages: Dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        """Add an id."""
        page = self._pages.setdefault(number >> 12, bytearray(512))
        page[(number & 4095) >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> 12)
        return page is not None and bool(page[(number & 4095) >> 3] & (1 << (number & 7)))


class Census(NamedTuple):
    """The machines that were alive when they were last heard of: how many, their ids, their groups."""

    alive: int
    ids: Ids
    groups: FrozenSet[str]


def census(living: Iterable[VirtualMachine], naming: Naming) -> Census:
    """Return what the ledger holds alive.

    Raises ConfigurationError when the machines have other names than they would be given now.
    """
    count, ids, groups = 0, Ids(), set()
    for machine in living:
        try:
            number, stime = id_of(machine.uuid)
        except ValueError as error:
            raise ConfigurationError(
                f"the ledger of this cloud holds a machine that is not of an OpenNebula: {error}",
                hint="give a cloud of another kind another name under 'clouds'",
            ) from error
        name = naming.uuid(number, stime)
        if name != machine.uuid:
            raise ConfigurationError(
                f"machine {number} was sent as {machine.uuid!r} and would now be sent as {name!r}, so that it were "
                "counted twice",
                hint="keep the names: set uuid_endpoint to the former endpoint (what comes before /compute/), and "
                "uuid_style and uuid_zone as they were",
            )
        count += 1
        ids.add(number)
        groups.add(machine.group)
    return Census(count, ids, frozenset(groups))


def served(groups: FrozenSet[str], names: Mapping[str, str], vo_of: Callable[[str, str], object]) -> FrozenSet[str]:
    """Return the groups that serve a VO, or of which nobody knows; what is known of the others stands."""
    return frozenset(group for group in groups if group not in names or vo_of(group, names[group]) is not None)
