"""Fully qualified attribute names: what a VO says of a member (``/vo.example.org/group/Role=r/Capability=NULL``)."""

from __future__ import annotations

import re
from typing import Iterable, Mapping, NamedTuple, Optional, Sequence, Tuple

_NULL = "NULL"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WORD = re.compile(r"[A-Za-z0-9._ -]+")


class Fqan(NamedTuple):
    """A group of a VO, and a role in it; ``str`` is the short form, that leaves out what is NULL."""

    vo: str
    groups: Tuple[str, ...] = ()
    """The subgroups from the VO on; empty for the VO itself."""
    role: Optional[str] = None
    capability: Optional[str] = None

    def __str__(self) -> str:
        role = f"/Role={self.role}" if self.role else ""
        return self.group + role + (f"/Capability={self.capability}" if self.capability else "")

    @property
    def group(self) -> str:
        """The group's path: ``/vo/group``."""
        return "/" + "/".join((self.vo, *self.groups))

    @property
    def long(self) -> str:
        """The form of VOMS libraries, in which keys are compared verbatim: ``/vo/group/Role=NULL/Capability=NULL``."""
        return f"{self.group}/Role={self.role or _NULL}/Capability={self.capability or _NULL}"

    @property
    def suffix(self) -> str:
        """What front ends append to a subject to look up an account: ``/VO=vo/group/Role=NULL/Capability=NULL``."""
        return f"/VO={self.long[1:]}"


def parse_fqan(text: str) -> Fqan:
    """Read a FQAN, short or long, or of the old form ``/VO=vo/GROUP=/vo/group/ROLE=r``. Raises ValueError."""
    old = re.fullmatch(r"/VO=([^/]+)(?:/GROUP=(/[^=]*?))?(?:/ROLE=([^/]*))?(?:/CAPABILITY=([^/]*))?", text, re.I)
    if old:
        vo, path, role, capability = old.groups()
        names = path[1:].split("/") if path else [vo]
        if names[0] != vo:
            raise ValueError(f"{text!r} is no FQAN: its group is of another VO")
    else:
        new = re.fullmatch(r"/([^=]+?)(?:/Role=([^/=]*))?(?:/Capability=([^/=]*))?", text)
        if new is None:
            raise ValueError(f"{text!r} is no FQAN")
        path, role, capability = new.groups()
        names = path.split("/")
    if not all(map(_NAME.fullmatch, names)) or not all(_WORD.fullmatch(one) for one in (role, capability) if one):
        raise ValueError(f"{text!r} is no FQAN")
    return Fqan(names[0], tuple(names[1:]), _set(role), _set(capability))


def _set(word: Optional[str]) -> Optional[str]:
    return None if word in (None, "", _NULL) else word


def mapped(fqans: Iterable[Fqan], rules: Sequence[Tuple[Fqan, str]], by_vo: Mapping[str, str]) -> Optional[str]:
    """Return the group of a cloud that the first of these FQANs leads to which leads anywhere, or None.

    ``rules`` are tried in their order; where none fits a FQAN, ``by_vo`` names the group of its VO: a role or subgroup
    that nobody mapped gives no further right, and takes none away.
    """
    for fqan in fqans:
        for rule, group in rules:
            if (rule.vo, rule.groups, rule.role) == (fqan.vo, fqan.groups, fqan.role):
                return group
        if fqan.vo in by_vo:
            return by_vo[fqan.vo]
    return None
