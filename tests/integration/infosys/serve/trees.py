"""Trees of any size to serve."""

from __future__ import annotations

from typing import Dict, List, Optional

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry, parent_of
from tests.unit.infosys.world import NOW, site

_IMAGE = "GLUE2ApplicationEnvironment"


def tree(images: int = 20, version: str = "1") -> List[Entry]:
    """Return the tree of a site with so many images in place of its own, all of one version."""
    found = list(glue20.entries(site(), NOW))
    pattern = next(one for one in found if _IMAGE in one.classes)
    kept = [one for one in found if _IMAGE not in one.classes]
    above = parent_of(pattern.dn)
    for number in range(images):
        name = f"image-{number}"
        changed = {**pattern.attributes, f"{_IMAGE}ID": (name,), f"{_IMAGE}AppVersion": (version,)}
        kept.append(Entry(f"{_IMAGE}ID={name},{above}", changed))
    return kept


def versions(entries: List[Entry]) -> Dict[Optional[str], int]:
    """Return how many images a tree holds in each version."""
    found: Dict[Optional[str], int] = {}
    for one in entries:
        if _IMAGE in one.classes:
            version = one.first(f"{_IMAGE}AppVersion")
            found[version] = found.get(version, 0) + 1
    return found
