"""A configuration that was read: typed values by room, what is disabled and why, and its snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type, TypeVar, cast

from fedcloud_agent.config.faults import UNKNOWN, VALUE, Fault, FaultyConfigurationError, nearest
from fedcloud_agent.config.nodes import Node, Origin
from fedcloud_agent.config.tables import TYPE, Room, quoted, read_room
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import Sections

T = TypeVar("T")
FORMAT = 1
CLOUDS = "clouds"
_MARK = "fedcloud-agent configuration"


@dataclass(frozen=True)
class CloudEntry:
    """One configured cloud: its name, the type that chooses the plugin, and the plugin's own table."""

    name: str
    type: str
    settings: Any


@dataclass(frozen=True)
class Configuration:
    """What the agent was told. ``root`` is what was written, merged; ``values`` what it means, by room.

    ``disabled`` names each cloud that has faults of its own, with these; it is in no other way part of the values.
    """

    directory: Path
    rooms: Mapping[str, Room] = field(compare=False, repr=False)
    root: Node
    values: Mapping[str, Any]
    disabled: Mapping[str, Tuple[Fault, ...]]
    found: Tuple[Fault, ...] = ()
    """What the reading of the files had to say (a key given twice); kept, since the tree does not show it."""

    def room(self, table: Type[T]) -> T:
        """Return the values of the room that declares ``table``."""
        for key, room in self.rooms.items():
            if room is table:
                return cast(T, self.values[key])
        raise LookupError(f"no room declares {table.__name__}")

    @property
    def clouds(self) -> Mapping[str, CloudEntry]:
        """The clouds without faults, by name, in the order in which they are written."""
        return {
            name: CloudEntry(name, self.type_of(name), settings)
            for name, settings in self.values.get(CLOUDS, {}).items()
        }

    def type_of(self, name: str) -> str:
        """Return the type that is written for a cloud, be it good or disabled; empty where none is."""
        node: Optional[Node] = self.root
        for key in (CLOUDS, name, TYPE):
            node = (node.mapping or {}).get(key) if node is not None else None
        return node.scalar if node is not None and isinstance(node.scalar, str) else ""

    def cloud(self, name: str) -> CloudEntry:
        """Return one cloud. Raises ConfigurationError when it is disabled or not configured."""
        if name in self.disabled:
            reasons = "\n".join(f"  {fault}" for fault in self.disabled[name])
            raise ConfigurationError(f"the cloud {name!r} is disabled by its configuration:\n{reasons}")
        clouds = self.clouds
        if name not in clouds:
            near = nearest(name, list(clouds))
            raise ConfigurationError(
                f"no cloud is configured under the name {name!r}" + (f"; did you mean {near!r}?" if near else ""),
                hint=f"configured: {', '.join(clouds)}" if clouds else "add one below 'clouds:' in agent.yaml",
            )
        return clouds[name]

    def snapshot(self) -> bytes:
        """Return all that was read, with its places, as JSON: ``loading.load`` makes the same configuration of it.

        Secrets are in it as the paths that were configured. Keep it 0600 all the same.
        """
        document = {
            "what": _MARK,
            "format": FORMAT,
            "directory": str(self.directory),
            "root": _encode(self.root),
            "faults": [fault.as_json() for fault in self.found],
        }
        return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def assemble(directory: Path, main: Path, rooms: Mapping[str, Room], root: Node, faults: List[Fault]) -> Configuration:
    """Make values of the merged tree. Raises FaultyConfigurationError with all faults, those found before included.

    Faults below one entry of a room of sections at the top level (``clouds.X``) disable that entry only.
    """
    found = list(faults)
    top = Origin(str(main), 1, 1)
    given = root.mapping if root.mapping is not None else {}
    if root.mapping is None and not root.empty:
        found.append(Fault(VALUE, root.origin, (), "", quoted(root), f"a mapping of {', '.join(rooms)}"))
    for name, node in given.items():
        if name not in rooms:
            near = nearest(name, list(rooms))
            expected = None if near else f"one of {', '.join(rooms)}"
            found.append(Fault(UNKNOWN, node.at, (name,), f"{name!r} is no key here", expected=expected, nearest=near))
    values = {key: read_room(room, given.get(key), (key,), top, found) for key, room in rooms.items()}
    by_itself = {key for key, room in rooms.items() if isinstance(room, Sections)}
    disabled: Dict[str, List[Fault]] = {}
    fatal = False
    for fault in found:
        if len(fault.path) > 1 and fault.path[0] in by_itself:
            disabled.setdefault(fault.path[1], []).append(fault)
        else:
            fatal = True
    if fatal:
        raise FaultyConfigurationError(found)
    for key in by_itself:
        values[key] = {name: value for name, value in values[key].items() if name not in disabled}
    by_name = {name: tuple(some) for name, some in disabled.items()}
    return Configuration(directory, rooms, root, values, by_name, tuple(faults))


def _encode(node: Node) -> Dict[str, object]:
    encoded: Dict[str, object] = {"at": list(node.origin)}
    if node.key is not None:
        encoded["key"] = list(node.key)
    if node.mapping is not None:
        encoded["map"] = {name: _encode(child) for name, child in node.mapping.items()}
    elif node.items is not None:
        encoded["list"] = [_encode(child) for child in node.items]
    else:
        encoded["value"], encoded["written"] = node.scalar, node.written
    return encoded


def _origin(value: Any) -> Origin:
    file, line, column = value
    if not (isinstance(file, str) and isinstance(line, int) and isinstance(column, int)):
        raise TypeError("a place is a file, a line and a column")
    return Origin(file, line, column)


def _decode(value: Any) -> Node:
    origin = _origin(value["at"])
    key = _origin(value["key"]) if "key" in value else None
    if "map" in value:
        return Node(origin, mapping={str(k): _decode(v) for k, v in value["map"].items()}, key=key)
    if "list" in value:
        return Node(origin, items=[_decode(v) for v in value["list"]], key=key)
    scalar = value["value"]
    if not (scalar is None or isinstance(scalar, (bool, int, float, str))):
        raise TypeError("a value is a scalar")
    return Node(origin, scalar=scalar, key=key, written=str(value["written"]))


def decode_snapshot(data: bytes, file: Path) -> Tuple[Path, Node, List[Fault]]:
    """Return directory, tree and faults of reading of a snapshot. Raises ConfigurationError for anything else."""
    try:
        document = json.loads(data.decode("ascii"))
        if document["what"] != _MARK:
            raise KeyError("what")
        if document["format"] != FORMAT:
            raise ConfigurationError(
                f"the snapshot {file} has the format {document['format']!r}; this version reads {FORMAT}",
                hint="restart the daemon: it writes a new snapshot of the configuration",
            )
        faults = [Fault.from_json(fault) for fault in document["faults"]]
        return Path(document["directory"]), _decode(document["root"]), faults
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ConfigurationError(
            f"{file} is not a snapshot of a configuration",
            hint="give --config the directory that holds agent.yaml, or a file that the daemon wrote",
        ) from error
