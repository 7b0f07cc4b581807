"""From the tree that stands to the one that is offered now: what to write down, and what to tell the server. Pure."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

from fedcloud_agent.infosys.entry import IN_ORDER, TIMES, Entry, digest
from fedcloud_agent.infosys.kept import CREATION, Changes, Held
from fedcloud_agent.infosys.places import is_alone, place_of
from fedcloud_agent.infosys.rules.keys import LISTS
from fedcloud_agent.infosys.words import moment
from fedcloud_agent.ldap import Add, Change, Delete, Modify, Operation

T = TypeVar("T")

GRACE = 150
"""Seconds that an entry stays after it is no longer offered: the slowest readers need so long for one reading."""

SETTLING = 30
"""Seconds that an entry is there before others name it. A server whose client reads slowly shows it the first part of
an answer as it was and the last part as it is: then neither may name what the other lacks."""

_LEAVING = {"GLUE2EndpointHealthState": "unknown", "GLUE2EndpointServingState": "closed"}


class Step(NamedTuple):
    """One change of the tree."""

    changes: Changes
    phases: Tuple[Tuple[Operation, ...], ...]
    """In this order, each answered before the next begins."""
    reload: bool
    """Whether the server has to be loaded anew instead: a part comes or goes that must not be seen by halves."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(self.changes)

    @property
    def sizes(self) -> Tuple[int, int, int]:
        """How many entries are added, modified, deleted."""
        return (
            sum(isinstance(one, Add) for phase in self.phases for one in phase),
            sum(isinstance(one, Modify) for phase in self.phases for one in phase),
            sum(isinstance(one, Delete) for phase in self.phases for one in phase),
        )


def altered(old: Entry, new: Entry) -> Modify:
    """Return what makes one entry of the other: whole attributes are replaced.

    Of the three that stand in an order all are, in this order, when one is: a replaced attribute moves to the end.
    """
    names = [
        name
        for name, values in new.attributes.items()
        # the server's times may be older than those of both: what is not renewed keeps them
        if name in TIMES or set(values) != set(old.attributes.get(name, ()))
    ]
    if any(name in IN_ORDER for name in names) or _order(old) != _order(new):
        names = [*(name for name in names if name not in IN_ORDER), *_order(new)]
    missing = [name for name in old.attributes if name not in new.attributes]
    changes = [Change(name, new.attributes[name]) for name in names]
    return Modify(new.dn, (*changes, *(Change(name, ()) for name in missing)))


def _order(entry: Entry) -> List[str]:
    return [name for name in entry.attributes if name in IN_ORDER]


def leaving(entry: Entry) -> Entry:
    """Return the form in which an entry waits to be deleted: it names none that might go before it is back.

    An endpoint says that it is closed.
    """
    kept = {name: values for name, values in entry.attributes.items() if name not in LISTS}
    if "GLUE2Endpoint" in entry.classes:
        kept.update({name: (value,) for name, value in _LEAVING.items() if name in kept})
    return Entry(entry.dn, kept)


def due(held: Mapping[str, Held], now: int) -> List[str]:
    """Return what has waited long enough to be deleted."""
    return [dn for dn, one in held.items() if one.gone is not None and now - one.gone >= GRACE]


def is_old(created: Optional[str], now: int, validity: int) -> bool:
    """Tell whether a creation time should be renewed."""
    return created is not None and created < moment(now - validity // 2)


class Differences:
    """What a whole tree, shown entry by entry, changes in the one that stands."""

    def __init__(self, held: Mapping[str, Held], now: int, validity: int) -> None:
        self._held, self._now, self._validity = held, now, validity
        self._young = {_rdn(dn) for dn, one in held.items() if now - one.since < SETTLING}
        self.unsettled = False
        """Whether something does not name yet what it is to name; a later round has to look at the whole tree again."""
        self._seen: Dict[str, None] = {}
        self._new: List[Entry] = []
        self._renewed: List[Entry] = []
        self._differing: List[Entry] = []

    def show(self, entry: Entry) -> None:
        """Compare an entry with what stands; those that it names come before it. One that is as it was is not kept."""
        self._seen[entry.dn] = None
        held = self._held.get(entry.dn)
        if self._held:
            entry = self._without_young(entry)
        if held is None:
            self._new.append(entry)
            self._young.add(_rdn(entry.dn))
        elif held.digest != digest(entry) or held.gone is not None:
            self._differing.append(entry)
        elif is_old(held.created, self._now, self._validity) and held.created != entry.first(CREATION):
            self._renewed.append(entry)

    def _without_young(self, entry: Entry) -> Entry:
        """Return an entry without the names of those that readers may not have yet; a later round adds them."""
        young = {
            name: tuple(value for value in entry.attributes[name] if f"{LISTS[name]}={value}" not in self._young)
            for name in LISTS.keys() & entry.attributes.keys()
        }
        if all(young[name] == entry.attributes[name] for name in young):
            return entry
        self.unsettled = True
        return Entry(entry.dn, {name: some for name, some in {**entry.attributes, **young}.items() if some})

    @property
    def entries(self) -> int:
        """How many entries were shown."""
        return len(self._seen)

    @property
    def renewed(self) -> int:
        """How many entries only have their times renewed."""
        return len(self._renewed)

    @property
    def wanted(self) -> List[str]:
        """The DNs whose entries, as they stand, :meth:`step` has to be given."""
        return [*(one.dn for one in self._differing), *self._vanished()]

    def _vanished(self) -> Iterator[str]:
        return (dn for dn, one in self._held.items() if dn not in self._seen and one.gone is None)

    def step(self, standing: Iterable[Entry]) -> Step:
        """Return the step, once all was shown."""
        stands = {one.dn: one for one in standing}
        gone = [leaving(stands[dn]) for dn in self._vanished()]
        dropped = [dn for dn in due(self._held, self._now) if dn not in self._seen]
        modified = [altered(stands[one.dn], one) for one in (*self._differing, *gone)]
        modified += [renewed(one) for one in self._renewed]
        put = (*self._new, *self._differing, *self._renewed)
        return made(Changes(put, tuple(gone), tuple(dropped)), self._new, modified)


def renewed(entry: Entry) -> Modify:
    """Return what brings the times of an entry up to date."""
    return Modify(
        entry.dn, tuple(Change(name, entry.attributes[name]) for name in sorted(TIMES & entry.attributes.keys()))
    )


def made(changes: Changes, new: Iterable[Entry], modified: Iterable[Modify]) -> Step:
    """Return the step that does these changes: adds in the order of the keys, modifies, deletes in the reverse one."""
    adds, deletes = list(new), list(changes.dropped)
    phases: List[Tuple[Operation, ...]] = [
        tuple(Add(one.dn, one.attributes) for one in some) for some in _by_place(adds, lambda one: one.dn)
    ]
    modifies = tuple(one for one in modified if one.changes)
    if modifies:
        phases.append(modifies)
    phases += [tuple(map(Delete, some)) for some in reversed(_by_place(deletes, str))]
    reload = not all(is_alone(dn) for dn in (*(one.dn for one in adds), *deletes))
    return Step(changes, tuple(phases), reload)


def _rdn(dn: str) -> str:
    return dn.partition(",")[0]


def _by_place(things: Iterable[T], dn_of: Callable[[T], str]) -> List[List[T]]:
    places: Dict[int, List[T]] = {}
    for one in things:
        places.setdefault(place_of(dn_of(one)), []).append(one)
    return [places[place] for place in sorted(places)]
