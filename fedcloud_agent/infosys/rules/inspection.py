"""All rules over a stream of entries."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, Tuple

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.rules import numbers, presence, times, values
from fedcloud_agent.infosys.rules.finding import ERROR, Finding
from fedcloud_agent.infosys.rules.tree import Tree

PUBLISHED_ALL_THE_SAME = frozenset({"E001", "E002"})
"""Errors of the clock, or of a cloud that could not be read for long. They would take the whole tree with them, and an
empty tree tells readers less than one that says of itself how old it is."""

_OF_CLASS: Dict[str, Tuple[Callable[[Entry], Iterator[Tuple[str, str]]], ...]] = {
    "GLUE2Domain": (values.urls, values.words),
    "GLUE2Location": (values.position,),
    "GLUE2Service": (values.urls, values.words),
    "GLUE2ComputingService": (numbers.jobs,),
    "GLUE2Endpoint": (values.urls, values.words, values.endpoint_lines),
    "GLUE2ComputingEndpoint": (numbers.jobs,),
    "GLUE2ComputingManager": (numbers.slots,),
    "GLUE2ExecutionEnvironment": (numbers.instances,),
    "GLUE2StorageServiceCapacity": (numbers.capacity,),
}
"""Rules that have to do with entries of one class only."""


def breaches(entry: Entry, now: int) -> Iterator[Tuple[str, str]]:
    """Yield each rule that an entry breaks by itself, and how."""
    yield from values.marks(entry)
    yield from presence.values(entry)
    if not presence.ours(entry):
        return
    yield from presence.classes(entry)
    yield from presence.attributes(entry)
    yield from times.entity(entry, now)
    yield from values.enumerations(entry)
    yield from numbers.bounds(entry)
    for name in entry.classes:
        for rule in _OF_CLASS.get(name, ()):
            yield from rule(entry)
    if "GLUE2Endpoint" in entry.classes:
        yield from times.endpoint(entry, now)


def inspect(entries: Iterable[Entry], now: int) -> Iterator[Finding]:
    """Yield everything that is wrong with a tree, errors, warnings and hints, as it is read."""
    tree = Tree()
    for entry in entries:
        yield from _of(entry, tree, now)
    yield from tree.finish()


def _of(entry: Entry, tree: Tree, now: int) -> Iterator[Finding]:
    for rule, message in breaches(entry, now):
        yield Finding(rule, entry.dn, message)
    yield from tree.show(entry)


def errors(entries: Iterable[Entry], tree: Tree, now: int) -> Dict[str, str]:
    """Show a whole tree to ``tree`` and return the DNs with an error that keeps them from being published.

    Of what is there twice one may stay, so that this alone is none of them.
    """
    found: Dict[str, str] = {}
    for entry in entries:
        for finding in _of(entry, tree, now):
            again = finding.rule == "K002" and finding.dn in tree.repeated
            if finding.severity == ERROR and finding.rule not in PUBLISHED_ALL_THE_SAME and not again:
                found.setdefault(finding.dn, f"{finding.rule}: {finding.message}")
    return found
