"""Rules about what is there: classes, attributes that slapd or the profile ask for, how many values, of what kind."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator, Tuple

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.rules.schema import CLASSES, INTEGERS, MANDATORY, MUST, PLAIN, RECOMMENDED, SEVERAL

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


def ours(entry: Entry) -> bool:
    """Tell whether an entry is of GLUE at all: the top of the tree is not."""
    return any(name.startswith("GLUE2") for name in entry.attributes)


def classes(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge the object classes."""
    for name in entry.classes:
        if name not in CLASSES:
            yield "E021", f"{name} is no class of GLUE 2.0 that an entry may name"


@lru_cache(maxsize=256)
def _wanted(classes: Tuple[str, ...]) -> Tuple[Tuple[str, str], ...]:
    """Return each attribute that these classes ask for, with the rule that asks."""
    tables = (("K005", MUST), ("W034", MANDATORY), ("I095", RECOMMENDED))
    wanted = [(rule, one) for rule, table in tables for name in classes for one in table.get(name, ())]
    if not PLAIN.issuperset(classes):
        wanted.append(("I095", "GLUE2EntityCreationTime"))
    return tuple(wanted)


def attributes(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge which attributes there are, for all classes of an entry."""
    for rule, wanted in _wanted(entry.classes):
        if not entry.attributes.get(wanted):
            yield rule, f"{wanted} is missing{': slapd refuses the entry' if rule == 'K005' else ''}"
    if PLAIN.issuperset(entry.classes) and any(name.startswith("GLUE2Entity") for name in entry.attributes):
        yield "K007", "a group is no entity: slapd refuses its attributes"


def values(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge number and kind of values."""
    for name, several in entry.attributes.items():
        if len(several) > 1 and name not in SEVERAL:
            yield "W036", f"{name} has {len(several)} values"
            yield "K007", f"{name} has {len(several)} values: slapd takes one"
        for value in several:
            if not value:
                yield "K006", f"{name} is empty: slapd refuses it"
            elif name in INTEGERS and not _INTEGER.fullmatch(value):
                yield "K006", f"{name} is {value[:40]!r}, no whole number: slapd refuses it"
