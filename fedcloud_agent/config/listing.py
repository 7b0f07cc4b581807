"""Every setting of a configuration with its value and where that comes from."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Type

from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.config.faults import SECRET, Fault
from fedcloud_agent.config.nodes import Node, Origin, Path, dotted
from fedcloud_agent.config.tables import TYPE, Room, variants_of
from fedcloud_agent.errors import AgentError
from fedcloud_agent.settings import (
    REQUIRED,
    Choice,
    Entry,
    Kind,
    Secret,
    Section,
    Sections,
    Setting,
    entries,
    shorthand,
)


class Row(NamedTuple):
    """One setting: what is in force in YAML's form, masked; ``origin`` is None for a default."""

    path: Path
    value: object
    origin: Optional[Origin]

    def as_json(self) -> Dict[str, object]:
        """Return what a program wants to know."""
        place = None
        if self.origin is not None:
            place = {"file": self.origin.file, "line": self.origin.line, "column": self.origin.column}
        return {"path": dotted(self.path), "value": self.value, "origin": place}


class Found(NamedTuple):
    """A setting of a table, and what was written for it, if anything."""

    path: Path
    setting: Setting
    node: Optional[Node]


def written_form(kind: Kind[Any], default: object) -> object:
    """Return a default as it would be written; None where there is none."""
    return None if default is None or default is REQUIRED else kind.write(default)


def settings_in(configuration: Configuration) -> Iterator[Found]:
    """Yield every setting in force, room by room; those of disabled entries are left out."""
    given = configuration.root.mapping or {}
    for key, room in configuration.rooms.items():
        for found in _room(room, given.get(key), (key,)):
            if not (len(found.path) > 1 and isinstance(room, Sections) and found.path[1] in configuration.disabled):
                yield found


def _room(room: Room, node: Optional[Node], path: Path) -> Iterator[Found]:
    return _entry(room, node, path) if isinstance(room, Sections) else _table(room, node, path)


def _table(table: Type[Any], node: Optional[Node], path: Path) -> Iterator[Found]:
    given = node.mapping if node is not None else None
    short = shorthand(table)
    if given is None and node is not None and not node.empty and short:
        given = {short: node}
    for name, entry in entries(table).items():
        yield from _entry(entry, (given or {}).get(name), (*path, name))


def _entry(entry: Entry, node: Optional[Node], path: Path) -> Iterator[Found]:
    if isinstance(entry, Setting):
        yield Found(path, entry, None if node is None or node.empty else node)
    elif isinstance(entry, Section):
        if not (entry.optional and (node is None or node.empty)):
            yield from _table(entry.table, node, path)
    else:
        variants = variants_of(entry)
        for name, child in ((node.mapping if node is not None else None) or {}).items():
            table: object = entry.table
            if entry.variants is not None:
                chosen = (child.mapping or {}).get(TYPE)
                word = str(chosen.scalar) if chosen is not None else ""
                table = variants.get(word)
                if isinstance(table, type) and TYPE not in entries(table):
                    yield Found((*path, name, TYPE), Setting(Choice(*variants), "", REQUIRED), chosen)
            if isinstance(table, type):
                yield from _table(table, child, (*path, name))


def rows(configuration: Configuration) -> List[Row]:
    """Return all settings that can be shown, in the order of the tables."""
    listed = []
    for path, setting, node in settings_in(configuration):
        if node is not None:
            listed.append(Row(path, setting.kind.mask(node.plain()), node.origin))
        else:
            value = written_form(setting.kind, setting.default)
            listed.append(Row(path, None if value is None else setting.kind.mask(value), None))
    return listed


def secret_faults(configuration: Configuration, environment: Mapping[str, str]) -> List[Fault]:
    """Return a fault for each secret that could not be used: its file absent, empty, or open to others.

    Systemd's credentials are looked at only where systemd handed them over.
    """
    faults = []
    for path, setting, node in settings_in(configuration):
        if node is None:
            continue
        value = setting.kind.parse(node.plain())
        for secret in value if isinstance(value, tuple) else (value,):
            if not isinstance(secret, Secret):
                continue
            if not secret.source.startswith("/") and "CREDENTIALS_DIRECTORY" not in environment:
                continue
            try:
                secret.read()
            except AgentError as error:
                hint = f" ({error.hint})" if error.hint else ""
                faults.append(Fault(SECRET, node.origin, path, f"{error.message}{hint}"))
    return faults
