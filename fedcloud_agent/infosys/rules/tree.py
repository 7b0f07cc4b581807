"""Rules that need the whole tree: identifiers, parents, keys, companions. What is kept of an entry is a few words."""

from __future__ import annotations

from typing import AbstractSet, Dict, Iterator, List, NamedTuple, Set, Tuple

from fedcloud_agent.infosys.entry import Entry, parent_of
from fedcloud_agent.infosys.rules.finding import Finding
from fedcloud_agent.infosys.rules.keys import COMPANIONS, IDS, KEYS, LISTS, OF_DOMAIN, PARENT_CLASSES, SERVES

Name = Tuple[str, str]
"""An attribute that identifies, and its value."""


class _Node(NamedTuple):
    parent: str
    names: Tuple[Name, ...]
    keys: Tuple[Name, ...]
    needs: Tuple[str, ...]
    """The classes of it that need companions."""


class Tree:
    """What is known of a tree whose entries are shown one by one, in any order."""

    def __init__(self) -> None:
        self._nodes: Dict[str, _Node] = {}
        self._holders: Dict[Name, str] = {}
        self._beside: Dict[Tuple[str, str, str], List[str]] = {}
        """Companions by class, attribute that names whom they serve, and whom; the last two empty for any."""
        self._lists: Dict[Name, List[str]] = {}
        self.repeated: Set[str] = set()
        """DNs that were shown more than once."""

    def show(self, entry: Entry) -> Iterator[Finding]:
        """Take one entry in, and yield what is wrong with it whatever else comes."""
        dn = entry.dn
        if dn in self._nodes:
            self.repeated.add(dn)
            yield Finding("K002", dn, "the DN is there twice")
            return
        held = entry.attributes.keys()
        names = tuple((one, entry.attributes[one][0]) for one in sorted(IDS & held) if entry.attributes[one])
        for name in names:
            holder = self._holders.setdefault(name, dn)
            if holder != dn:
                yield Finding("K002", dn, f"{name[0]} {name[1]!r} is that of {holder}, too")
        # a set of what to look for: several keys of an entry often name the same one
        keys = tuple(sorted({(KEYS[one], value) for one in KEYS.keys() & held for value in entry.attributes[one]}))
        for one in LISTS.keys() & held:
            target = LISTS[one]
            for value in entry.attributes[one]:
                if (target, value) not in self._holders:
                    self._lists.setdefault((target, value), []).append(dn)
        yield from self._domain(entry)
        for one in entry.classes:
            wanted = PARENT_CLASSES.get(one)
            if wanted is not None and wanted not in entry.classes:
                yield Finding("E025", dn, f"{one} without {wanted}")
        self._companion(entry)
        needs = tuple(one for one in entry.classes if one in COMPANIONS)
        self._nodes[dn] = _Node(parent_of(dn), names, keys, needs)

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with the whole, once all was shown."""
        for dn, node in self._nodes.items():
            for reason in self._lacks(dn, node, frozenset()):
                yield Finding(reason[0], dn, reason[1])
        for (attribute, value), referring in self._lists.items():
            if (attribute, value) not in self._holders:
                for dn in referring:
                    yield Finding("K001", dn, f"refers to {attribute} {value!r}, which is not there")

    def aside(self, broken: Dict[str, str]) -> Dict[str, str]:
        """Return the DNs that cannot be published, each with its reason, when those of ``broken`` cannot.

        With an entry go its children, what must refer to it, and what must not be without it.
        """
        gone = dict(broken)
        before = -1
        while len(gone) != before:
            before = len(gone)
            for dn, node in self._nodes.items():
                if dn not in gone:
                    reason = next(self._lacks(dn, node, gone.keys()), None)
                    if reason is not None:
                        gone[dn] = f"{reason[0]}: {reason[1]}"
        return gone

    def _lacks(self, dn: str, node: _Node, gone: AbstractSet[str]) -> Iterator[Tuple[str, str]]:
        if node.parent in gone:
            yield "K008", f"is below {node.parent}, which is set aside"
        # a part of a tree may be looked at by itself: its top has nothing above it there
        elif node.parent not in self._nodes and self._below_something(dn):
            yield "K008", f"is below {node.parent}, which is not there"
        for attribute, value in node.keys:
            holder = self._holders.get((attribute, value))
            if holder is None:
                yield "K001", f"refers to {attribute} {value!r}, which is not there"
            elif holder in gone:
                yield "K001", f"refers to {attribute} {value!r}, which is set aside"
        for kind in node.needs:
            for companion in COMPANIONS[kind]:
                whom = ("", "") if companion.by is None else (companion.by, node.names[0][1] if node.names else "")
                found = self._beside.get((companion.of, *whom), ())
                if all(one in gone for one in found):
                    yield "E025", f"{kind} without {companion.of}"

    def _below_something(self, dn: str) -> bool:
        above = parent_of(dn)
        while above:
            if above in self._nodes:
                return True
            above = parent_of(above)
        return False

    def _companion(self, entry: Entry) -> None:
        for kind in entry.classes:
            for by in SERVES.get(kind, ()):
                for whom in ("",) if by is None else entry.attributes.get(by, ()):
                    self._beside.setdefault((kind, by or "", whom), []).append(entry.dn)

    def _domain(self, entry: Entry) -> Iterator[Finding]:
        for rdn in entry.dn.split(","):
            name, _, value = rdn.partition("=")
            if name.lower() == "glue2domainid":
                for one in sorted(OF_DOMAIN & entry.attributes.keys()):
                    if entry.attributes[one] != (value,):
                        yield Finding("E026", entry.dn, f"{one} is {entry.attributes[one]}, but the DN says {value!r}")
                return
