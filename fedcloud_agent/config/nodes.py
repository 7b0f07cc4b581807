"""What was written, and where: the tree between YAML and the tables, and how the files of conf.d are laid over it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

Path = Tuple[str, ...]
Scalar = Union[None, bool, int, float, str]


class Origin(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Node:
    """A value as it was written: a mapping, a list, or else a scalar.

    ``origin`` is where the value begins, ``key`` where its key does; ``written`` is a scalar's own spelling.
    """

    origin: Origin
    scalar: Scalar = None
    mapping: Optional[Dict[str, Node]] = None
    items: Optional[List[Node]] = None
    key: Optional[Origin] = None
    written: str = ""

    @property
    def empty(self) -> bool:
        """Tell whether nothing was written: a key without a value counts as absent."""
        return self.scalar is None and self.mapping is None and self.items is None

    @property
    def at(self) -> Origin:
        """Where a person would look: at the key, where there is one."""
        return self.key or self.origin

    def plain(self) -> object:
        """Return the value as YAML means it: dict, list, str, int, float, bool or None."""
        if self.mapping is not None:
            return {name: node.plain() for name, node in self.mapping.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.scalar


def dotted(path: Path) -> str:
    """Return a path for people; a part that has dots of its own is quoted."""
    return ".".join(f'"{part}"' if "." in part or not part else part for part in path)


def merge(base: Node, over: Node) -> Node:
    """Lay ``over`` on ``base``: mappings merge deeply, everything else is replaced and brings its own origin.

    A key without a value says nothing, so it replaces nothing.
    """
    if over.empty:
        return base
    if base.mapping is None or over.mapping is None:
        return over
    merged = dict(base.mapping)
    for name, node in over.mapping.items():
        merged[name] = merge(merged[name], node) if name in merged else node
    return replace(base, mapping=merged)
