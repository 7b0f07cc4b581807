"""What a directory makes of operations: it refuses what slapd refuses, and keeps the order that slapd keeps."""

from __future__ import annotations

from typing import Dict, Iterable, Set, Tuple

from fedcloud_agent.infosys.differences import Step
from fedcloud_agent.infosys.entry import Entry, digest, parent_of
from fedcloud_agent.infosys.kept import CREATION, Changes, Held
from fedcloud_agent.infosys.rules.keys import KEYS, LISTS
from fedcloud_agent.ldap import Add, Delete, Modify, Operation


class Tree:
    """A tree and what was written down of it."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = {one.dn: one for one in entries}
        self.held: Dict[str, Held] = {}
        self.write(Changes(put=tuple(self.entries.values())), 0)

    def write(self, changes: Changes, now: int, *, loaded: bool = False) -> None:
        """Write a step down; what comes with a load counts as there from the first."""
        for some, gone in ((changes.put, None), (changes.gone, now)):
            for one in some:
                since = self.held[one.dn].since if one.dn in self.held else (0 if loaded else now)
                self.held[one.dn] = Held(digest(one), one.first(CREATION), since, gone)
        for dn in changes.dropped:
            del self.held[dn]

    def apply(self, step: Step, now: int) -> None:
        """Do a step, operation by operation; after each no key of any entry may name what is not there."""
        self.write(step.changes, now)
        before = dict(self.entries)
        for phase in step.phases:
            touched = [one.dn for one in phase]
            assert len(touched) == len(set(touched))
            for one in phase:
                self._do(one)
                assert not self.dangling()
        assert {dn: digest(one) for dn, one in self.entries.items()} == {
            dn: one.digest for dn, one in self.held.items()
        }

        both = before.keys() & self.entries.keys()
        for some in (before, self.entries):
            mixed = Tree(some[dn] for dn in both)
            dangling = mixed.dangling()
            assert not dangling, f"who reads slowly gets a part from before and a part from after: {dangling}"

    def _do(self, one: Operation) -> None:
        if isinstance(one, Add):
            assert one.dn not in self.entries and (parent_of(one.dn) in self.entries or one.dn == "o=glue")
            self.entries[one.dn] = Entry(one.dn, dict(one.attributes))
        elif isinstance(one, Delete):
            assert not any(parent_of(dn) == one.dn for dn in self.entries)
            del self.entries[one.dn]
        else:
            assert isinstance(one, Modify) and one.changes
            attributes = dict(self.entries[one.dn].attributes)
            for change in one.changes:
                attributes.pop(change.attribute, None)  # what is replaced moves to the end
                if change.values:
                    attributes[change.attribute] = change.values
            self.entries[one.dn] = Entry(one.dn, attributes)

    def dangling(self) -> Set[Tuple[str, str, str]]:
        ids = {one.dn.partition(",")[0] for one in self.entries.values()}
        return {
            (one.dn, name, value)
            for one in self.entries.values()
            for name, target in {**KEYS, **LISTS}.items()
            for value in one.attributes.get(name, ())
            if f"{target}={value}" not in ids
        }
