"""What is wrong with one answer of a tree, as a reader got it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import AbstractSet, Collection, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from fedcloud_agent.infosys.entry import Entry, parent_of
from fedcloud_agent.infosys.rules.tree import Tree

EMPTY = "empty"
PARTIAL = "partial"
TOO_MUCH = "too much"
ORPHAN = "without parent"
DANGLING = "K001"
TWICE = "K002"

RULES = frozenset({DANGLING, TWICE})
"""The rules over whole trees that hold at every moment. That an entry has its companions (E025) is none of them: a
share and its policy need each other, and one of them comes first."""


class Complaint(NamedTuple):
    """What is wrong: a kind of the above, the name of a rule, or what the reader met, and the particulars."""

    kind: str
    text: str


@dataclass(frozen=True)
class Expectation:
    """What every answer must be. ``base`` is what is asked for, as slapd writes it; its entry must be there."""

    base: str
    least: int = 1
    """Of entries in all."""
    most: Optional[int] = None
    required: FrozenSet[str] = frozenset()
    """DNs."""
    branches: Mapping[str, int] = field(default_factory=dict)
    """For the DN at the top of each, of how many entries it must be at least, itself included."""
    rules: FrozenSet[str] = RULES


def whole(
    entries: Iterable[Entry], base: str, *, leaving: AbstractSet[str] = frozenset(), coming: int = 0
) -> Expectation:
    """Expect a whole tree, of which the DNs of ``leaving`` may go and to which ``coming`` entries may come."""
    dns = frozenset(entry.dn for entry in entries if below(entry.dn, base))
    required = dns - leaving
    return Expectation(base, len(required), len(dns) + coming, required)


def below(dn: str, base: str) -> bool:
    """Tell whether an entry is below a base, or the base itself."""
    return dn == base or dn.endswith(f",{base}")


def judge(entries: Sequence[Entry], expected: Expectation) -> List[Complaint]:
    """Return what is wrong with an answer, in whatever order its entries are."""
    if not entries:
        return [Complaint(EMPTY, f"nothing at all below {expected.base}")]
    dns = {entry.dn for entry in entries}
    return [*_amount(dns, expected), *_connected(entries, dns, expected)]


def _amount(dns: Collection[str], expected: Expectation) -> Iterator[Complaint]:
    missing = sorted({expected.base, *expected.required}.difference(dns))
    if missing:
        yield Complaint(PARTIAL, f"without {len(missing)} of what must be there: {_few(missing)}")
    if len(dns) < expected.least:
        yield Complaint(PARTIAL, f"{len(dns)} entries, at least {expected.least} must be there")
    if expected.most is not None and len(dns) > expected.most:
        yield Complaint(TOO_MUCH, f"{len(dns)} entries, at most {expected.most} can be there")
    for top, least in expected.branches.items():
        found = sum(below(dn, top) for dn in dns)
        if found < least:
            yield Complaint(PARTIAL, f"{found} entries of {top}, at least {least} must be there")


def _connected(entries: Iterable[Entry], dns: Collection[str], expected: Expectation) -> Iterator[Complaint]:
    orphans = sorted(dn for dn in dns if dn != expected.base and parent_of(dn) not in dns)
    if orphans:
        yield Complaint(ORPHAN, f"{len(orphans)} entries: {_few(orphans)}")
    tree = Tree()
    findings = [one for entry in entries for one in tree.show(entry)]
    for finding in [*findings, *tree.finish()]:
        if finding.rule in expected.rules:
            yield Complaint(finding.rule, f"{finding.dn} {finding.message}")


def _few(dns: Sequence[str]) -> str:
    return ", ".join(dns[:3]) + (", …" if len(dns) > 3 else "")
