"""The tree as it is meant to be, beside the one that some server holds."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from fedcloud_agent.infosys.entry import TIMES, Entry, digest
from fedcloud_agent.infosys.glue20 import SUFFIX
from fedcloud_agent.infosys.kept import CREATION, Kept

_GRID = "GLUE2GroupID=grid"
"""Below which a Top holds the trees of its sites."""
MISSING, SURPLUS, DIFFERENT = "-", "+", "~"
Values = Tuple[str, ...]


class Difference(NamedTuple):
    """One entry that is not the same in both."""

    mark: str
    """MISSING on the server, SURPLUS there, or DIFFERENT."""
    dn: str
    """As we name it."""
    attributes: Mapping[str, Tuple[Values, Values]] = {}
    """Of a DIFFERENT one: our values and theirs."""


def compare(
    kept: Kept, theirs: Iterable[Entry], base: Optional[str] = None, *, times: bool = False
) -> List[Difference]:
    """Return how a tree that is read from a server differs from ours; entries are compared as they come.

    ``base`` is what was read: what we have elsewhere is not missing.
    """
    held = kept.held()
    found: List[Difference] = []
    seen = set()
    differing: Dict[str, Entry] = {}
    for entry in theirs:
        dn = _ours(entry.dn)
        seen.add(dn)
        ours = held.get(dn)
        renamed = Entry(dn, entry.attributes)
        if ours is None:
            if dn != SUFFIX:
                found.append(Difference(SURPLUS, dn))
        elif ours.digest != digest(renamed) or (times and ours.created != entry.first(CREATION)):
            differing[dn] = renamed
    for one in kept.entries(differing):
        values = _different(one, differing[one.dn], times)
        found.append(Difference(DIFFERENT, one.dn, values))
    within = "" if base is None else _ours(base)
    found += [Difference(MISSING, dn) for dn in held if dn not in seen and dn.endswith(within)]
    return sorted(found, key=lambda one: (",".join(reversed(one.dn.split(","))), one.mark))


def _ours(dn: str) -> str:
    """Return our name of an entry, also of one that a Top has put below its own group."""
    return dn.replace(f",{_GRID},{SUFFIX}", f",{SUFFIX}")


def _different(ours: Entry, theirs: Entry, times: bool) -> Dict[str, Tuple[Values, Values]]:
    names = dict.fromkeys((*ours.attributes, *theirs.attributes))
    pairs = {name: (ours.attributes.get(name, ()), theirs.attributes.get(name, ())) for name in names}
    return {name: (a, b) for name, (a, b) in pairs.items() if set(a) != set(b) and (times or name not in TIMES)}
