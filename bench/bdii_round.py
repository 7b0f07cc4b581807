"""What it costs to bring a slapd from one state of a big site to the next, in seconds: a round as a BDII makes it, and
the bare operations.

The round reads what the provider printed, compares it with what slapd said of itself after the round before, lets the
tools of OpenLDAP do the rest, and asks slapd again: the steps of bdii-update, without the archive and the statistics
that it also keeps. Both ways go to the same slapd, one after the other.

``python -m bench.bdii_round [ENTRIES]`` prints a line of JSON for each way, best to be run with nothing beside it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

from bench.big_site import NOW, VARIANTS, site_offer
from fedcloud_agent.infosys import glue20, ldif
from fedcloud_agent.infosys.entry import Entry, digest, tree_hash
from tests.federation.top.directory import Directory, encoded
from tests.federation.top.update import Update

ENTRIES = 10_000
IN_FLIGHT = 64

Operation = Callable[[Any], int]
"""Sends something on a connection of python-ldap, and returns the number of the message."""


class Differences(NamedTuple):
    """What leads from one tree to another, in the order in which it can be done."""

    adds: List[Entry]
    modifies: List[Tuple[str, Dict[str, Tuple[str, ...]]]]
    """DN, and the new values of each attribute that changed; none: it is gone."""
    deletes: List[str]


def differences(old: Sequence[Entry], new: Sequence[Entry]) -> Differences:
    before = {entry.dn: entry for entry in old}
    after = {entry.dn: entry for entry in new}
    changed = []
    for entry in new:
        former = before.get(entry.dn, entry)
        names = {**former.attributes, **entry.attributes}
        values = {name: entry.attributes.get(name, ()) for name in names}
        values = {name: one for name, one in values.items() if one != former.attributes.get(name, ())}
        if values:
            changed.append((entry.dn, values))
    adds = [entry for entry in new if entry.dn not in before]
    return Differences(adds, changed, [entry.dn for entry in reversed(old) if entry.dn not in after])


class BdiiRound:
    """A slapd that holds variant ``a`` of a site of ``entries`` entries. Use it as a context manager.

    ``first`` are the seconds of the round into the empty slapd.
    """

    def __init__(self, directory: Path, entries: int = ENTRIES) -> None:
        self.directory = Directory(directory / "slapd")
        self._printed = {variant: directory / f"{variant}.ldif" for variant in VARIANTS}
        self.trees = {variant: list(glue20.entries(site_offer(entries, variant), NOW)) for variant in VARIANTS}
        self.first = 0.0

    def __enter__(self) -> BdiiRound:
        for variant, path in self._printed.items():
            path.write_text("".join(map(ldif.record, self.trees[variant])))
        self.directory.start()
        self._update = Update(self.directory)
        self.first = self._seconds("a", (len(self.trees["a"]), 0, 0))
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.directory.stop()

    def round(self, variant: str) -> float:
        """Return the seconds of a round to a variant (``a``: nothing changed), and go back."""
        seconds = self._seconds(variant, self._counts("a", variant))
        self._seconds("a", self._counts(variant, "a"))
        return seconds

    def bare(self, variant: str) -> float:
        """Return the seconds of the mere operations to a variant, pipelined, and go back."""
        there, back = (self._phases(*pair) for pair in (("a", variant), (variant, "a")))
        with self.directory.root_connection() as connection:
            began = time.perf_counter()
            self._send(connection, there)
            seconds = time.perf_counter() - began
            self.check(variant)
            self._send(connection, back)
        self.check("a")
        # for the next round: the values of an attribute that was replaced stand at its end
        self._update.dump()
        return seconds

    def check(self, variant: str) -> None:
        """Raise RuntimeError unless slapd holds this variant, and nothing else."""
        held, wanted = (
            tree_hash({entry.dn: digest(entry) for entry in tree})
            for tree in (self.directory.entries(), self.trees[variant])
        )
        if held != wanted:
            raise RuntimeError(f"slapd does not hold variant {variant}")

    def _seconds(self, variant: str, wanted: Tuple[int, int, int]) -> float:
        began = time.perf_counter()
        outcome = self._update.round(self._printed[variant].read_text(), time.time())
        seconds = time.perf_counter() - began
        done = (outcome.added, outcome.modified, outcome.deleted)
        if outcome.errors or done != wanted or outcome.entries != len(self.trees[variant]):
            raise RuntimeError(f"that was no round to variant {variant}, wanted {wanted}: {outcome}")
        return seconds

    def _counts(self, old: str, new: str) -> Tuple[int, int, int]:
        adds, modifies, deletes = differences(self.trees[old], self.trees[new])
        return len(adds), len(modifies), len(deletes)

    def _phases(self, old: str, new: str) -> List[List[Operation]]:
        """Return what is sent: adds one depth after the other, what has changed, deletes the other way round."""
        import ldap

        adds, modifies, deletes = differences(self.trees[old], self.trees[new])
        phases: Dict[Tuple[int, int], List[Operation]] = {}
        for entry in adds:
            content = list(encoded(entry))
            phases.setdefault((0, entry.dn.count(",")), []).append(
                lambda connection, dn=entry.dn, content=content: connection.add_ext(dn, content)  # type: ignore[misc]
            )
        for dn, values in modifies:
            changes = [(ldap.MOD_REPLACE, name, [v.encode() for v in new] or None) for name, new in values.items()]
            phases.setdefault((1, 0), []).append(
                lambda connection, dn=dn, changes=changes: connection.modify_ext(dn, changes)  # type: ignore[misc]
            )
        for dn in deletes:
            phases.setdefault((2, -dn.count(",")), []).append(
                lambda connection, dn=dn: connection.delete_ext(dn)  # type: ignore[misc]
            )
        return [phases[key] for key in sorted(phases)]

    @staticmethod
    def _send(connection: Any, phases: List[List[Operation]]) -> None:
        for phase in phases:
            open_: Deque[int] = deque()
            for operation in phase:
                if len(open_) >= IN_FLIGHT:
                    connection.result3(open_.popleft())
                open_.append(operation(connection))
            while open_:
                connection.result3(open_.popleft())


def figures(bench: BdiiRound, turns: int = 3) -> Dict[str, Dict[str, List[float]]]:
    """Return the seconds of each way for each change set, in turn."""
    found: Dict[str, Dict[str, List[float]]] = {variant: {"round": [], "bare": []} for variant in VARIANTS}
    for _ in range(turns):
        for variant in VARIANTS:
            found[variant]["round"].append(round(bench.round(variant), 4))
            if variant != "a":
                found[variant]["bare"].append(round(bench.bare(variant), 4))
    return found


def main(arguments: Sequence[str]) -> int:
    entries = int(arguments[0]) if arguments else ENTRIES
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, BdiiRound(Path(directory), entries) as bench:
        print(json.dumps({"entries": entries, "first": round(bench.first, 3)}))
        for variant, ways in figures(bench).items():
            for way, seconds in ways.items():
                if seconds:
                    print(json.dumps({"to": variant, "way": way, "median": statistics.median(seconds), "all": seconds}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
