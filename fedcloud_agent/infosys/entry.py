"""One entry of the tree, and the digests by which two trees are compared without being held."""

from __future__ import annotations

import hashlib
from typing import Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

TIMES = frozenset({"GLUE2EntityCreationTime", "GLUE2EntityValidity"})
"""What is renewed without anything having changed: digests leave it out."""

IN_ORDER = ("GLUE2EndpointInterfaceName", "GLUE2EndpointURL", "GLUE2EndpointInterfaceVersion")
"""The three that the federation's own query expects in this order. slapd answers in the order of storing, and a
replaced attribute moves to the end: whoever changes one has to replace all three, in order."""

_SIZE = 16


class Entry(NamedTuple):
    """An entry; its attributes in the order in which they are to be stored, ``objectClass`` first."""

    dn: str
    attributes: Mapping[str, Tuple[str, ...]]

    @property
    def classes(self) -> Tuple[str, ...]:
        """Its object classes."""
        return self.attributes.get("objectClass", ())

    def first(self, attribute: str) -> Optional[str]:
        """Return the first value of an attribute, or None."""
        return next(iter(self.attributes.get(attribute, ())), None)


def parent_of(dn: str) -> str:
    """Return the DN above; empty for the top. Our DNs hold no escaped comma."""
    return dn.partition(",")[2]


def digest(entry: Entry) -> bytes:
    """Return what is equal for two entries exactly if readers could not tell them apart, but for their times.

    Values of an attribute are a set, and so are the attributes, except for the order of IN_ORDER: an entry that was
    read back from a server has the digest of the one that was sent.
    """
    parts = [entry.dn]
    for name in sorted(entry.attributes):
        if name not in TIMES:
            values = entry.attributes[name]
            parts.append("\1".join((name, *(values if len(values) == 1 else sorted(values)))))
    parts += [name for name in entry.attributes if name in IN_ORDER]
    return hashlib.blake2b("\0".join(parts).encode("utf-8"), digest_size=_SIZE).digest()


def tree_hash(digests: Mapping[str, bytes]) -> str:
    """Return the hash of a whole tree from the digest of each of its DNs."""
    hashed = hashlib.blake2b(digest_size=_SIZE)
    for dn in sorted(digests):
        hashed.update(dn.encode("utf-8") + b"\0" + digests[dn])
    return hashed.hexdigest()


class Builder:
    """An entry in the making: what is None or empty is left out, values are kept once each."""

    def __init__(self, rdn: Tuple[str, str], above: str, classes: Sequence[str]) -> None:
        self.dn = f"{rdn[0]}={rdn[1]},{above}"
        # the values of each as the keys of a mapping: a set in order
        self._attributes: Dict[str, Dict[str, None]] = {"objectClass": dict.fromkeys(classes), rdn[0]: {rdn[1]: None}}

    def add(self, attribute: str, *values: object) -> Builder:
        """Add values: a boolean as true or false, everything else as its text."""
        for value in values:
            if value is None or value == "":
                continue
            written = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
            kept = self._attributes.get(attribute)
            if kept is None:
                self._attributes[attribute] = {written: None}
            else:
                kept[written] = None
        return self

    def entry(self) -> Entry:
        """Return the entry as it is now."""
        return Entry(self.dn, {name: tuple(values) for name, values in self._attributes.items()})
