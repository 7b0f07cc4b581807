"""From nodes to tables: every value parsed by its kind, every fault noted with its place, none raised."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, Dict, List, Mapping, Optional, Type, Union

from fedcloud_agent.config.faults import MISSING, PLUGIN, RULE, UNKNOWN, VALUE, Fault, nearest
from fedcloud_agent.config.nodes import Node, Origin, Path
from fedcloud_agent.settings import REQUIRED, Entry, Kind, ListOf, Section, Sections, Setting, entries, shorthand

TYPE = "type"

Room = Union[Type[Any], Sections]
"""What stands under a key of the top level: a table, or tables by name."""


def quoted(node: Node, kind: Optional[Kind[Any]] = None) -> str:
    """Return a value as it was written, fit for an error: shortened, masked if ``kind`` says so."""
    if node.mapping is not None:
        return "a mapping"
    if node.items is not None:
        return "a list"
    written = node.written
    if kind is not None:
        masked = kind.mask(node.plain())
        if masked != node.scalar:
            return f"'{masked}'"
    if len(written) > 60:
        written = written[:57] + "..."
    return f"'{written}'" if isinstance(node.scalar, str) else written or "nothing"


def variants_of(entry: Sections) -> Mapping[str, Union[Type[Any], str]]:
    """Return the tables among which ``type`` chooses; none where there is but one table.

    A text in place of a table says why that variant cannot be used.
    """
    found = entry.variants() if entry.variants is not None else {}
    broken = "its settings are no table: a frozen dataclass is expected"
    return {word: one if isinstance(one, str) or is_dataclass(one) else broken for word, one in found.items()}


def read_room(room: Room, node: Optional[Node], path: Path, at: Origin, faults: List[Fault]) -> Any:
    """Return what a room's part of the configuration means; None, with faults added, where it cannot be read.

    ``at`` is where a person would add the part if it is absent.
    """
    return _sections(room, node, path, faults) if isinstance(room, Sections) else _table(room, node, path, at, faults)


def _table(table: Type[Any], node: Optional[Node], path: Path, at: Origin, faults: List[Fault]) -> Any:
    declared = entries(table)
    short = shorthand(table)
    given = _given(node, short)
    if given is None:
        assert node is not None
        keys = ", ".join(declared)
        faults.append(Fault(VALUE, node.origin, path, "", quoted(node), f"a mapping of {keys}"))
        return None
    before = len(faults)
    at = node.at if node is not None else at
    for name, child in given.items():
        if name not in declared:
            words = list(declared)
            near = nearest(name, words)
            reason = f"{name!r} is no key here"
            expected = None if near else f"one of {', '.join(words)}" if words else "nothing"
            faults.append(Fault(UNKNOWN, child.at, (*path, name), reason, expected=expected, nearest=near))
    values = {name: _entry(entry, given.get(name), (*path, name), at, faults) for name, entry in declared.items()}
    if len(faults) > before:
        return None
    parsed = table(**values)
    for name, reason in getattr(parsed, "faults", tuple)():
        origin = given[name].origin if name in given else at
        faults.append(Fault(RULE, origin, (*path, name), reason))
    return parsed if len(faults) == before else None


def _given(node: Optional[Node], short: Optional[str]) -> Optional[Dict[str, Node]]:
    if node is None or node.empty:
        return {}
    if node.mapping is not None:
        return node.mapping
    return {short: node} if short and node.items is None else None


def _entry(entry: Entry, node: Optional[Node], path: Path, at: Origin, faults: List[Fault]) -> Any:
    if isinstance(entry, Sections):
        return _sections(entry, node, path, faults)
    if isinstance(entry, Section):
        if entry.optional and (node is None or node.empty):
            return None
        return _table(entry.table, node, path, at, faults)
    return _setting(entry, node, path, at, faults)


def _setting(entry: Setting, node: Optional[Node], path: Path, at: Origin, faults: List[Fault]) -> Any:
    if node is None or node.empty:
        if entry.default is REQUIRED:
            origin = node.at if node is not None else at
            where = "needs a value" if node is not None else f"missing: add {path[-1]!r} here"
            faults.append(Fault(MISSING, origin, path, where, expected=entry.kind.expects))
            return None
        return entry.default
    return _value(entry.kind, node, path, faults)


def _value(kind: Kind[Any], node: Node, path: Path, faults: List[Fault]) -> Any:
    if isinstance(kind, ListOf) and node.items is not None and len(node.items) >= kind.minimum:
        return tuple(_value(kind.kind, item, (*path, str(n)), faults) for n, item in enumerate(node.items, 1))
    try:
        return kind.parse(node.plain())
    except ValueError as error:
        # the reason of a kind may quote the value
        reason = "" if kind.secret else str(error)
        faults.append(Fault(VALUE, node.origin, path, reason, quoted(node, kind), kind.expects))
        return None


def _sections(entry: Sections, node: Optional[Node], path: Path, faults: List[Fault]) -> Dict[str, Any]:
    read: Dict[str, Any] = {}
    if node is None or node.empty:
        return read
    if node.mapping is None:
        faults.append(Fault(VALUE, node.origin, path, "", quoted(node), "a mapping of names to sections"))
        return read
    variants = variants_of(entry)
    for name, child in node.mapping.items():
        below = (*path, name)
        before = len(faults)
        try:
            entry.key.parse(name)
        except ValueError:
            faults.append(Fault(VALUE, child.at, below, "not a name", f"'{name}'", entry.key.expects))
        if entry.variants is not None:
            value = _variant(variants, child, below, faults)
        else:
            assert entry.table is not None
            value = _table(entry.table, child, below, child.at, faults)
        if len(faults) == before:
            read[name] = value
    return read


def _variant(variants: Mapping[str, Union[Type[Any], str]], node: Node, path: Path, faults: List[Fault]) -> Any:
    expected = f"one of {', '.join(sorted(variants))}" if variants else "a plugin to be installed"
    if node.mapping is None and not node.empty:
        faults.append(Fault(VALUE, node.origin, path, "", quoted(node), "a mapping with the key 'type'"))
        return None
    chosen = (node.mapping or {}).get(TYPE)
    if chosen is None or chosen.empty:
        at = chosen.at if chosen is not None else node.at
        faults.append(Fault(MISSING, at, (*path, TYPE), "missing: add 'type' here", expected=expected))
        return None
    word = chosen.scalar if isinstance(chosen.scalar, str) else ""
    table = variants.get(word)
    if table is None:
        near = nearest(word, list(variants))
        reason = "nothing installed knows the type"
        faults.append(Fault(VALUE, chosen.origin, (*path, TYPE), reason, quoted(chosen), expected, near))
        return None
    if isinstance(table, str):
        faults.append(Fault(PLUGIN, chosen.origin, (*path, TYPE), f"the plugin for {word!r} cannot be loaded: {table}"))
        return None
    try:
        if TYPE not in entries(table) and node.mapping is not None:
            node = Node(node.origin, mapping={k: v for k, v in node.mapping.items() if k != TYPE}, key=node.key)
        return _table(table, node, path, node.at, faults)
    except Exception as error:  # noqa: BLE001 -- a variant's table may be someone else's code
        reason = f"the settings of {word!r} are broken: {type(error).__name__}: {error}"
        faults.append(Fault(PLUGIN, chosen.origin, (*path, TYPE), reason))
        return None
