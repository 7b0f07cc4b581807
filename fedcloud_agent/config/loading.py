"""Reading agent.yaml, then conf.d/*.yaml in the order of their names; or a snapshot of what was read before."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import List, Mapping, Optional

from fedcloud_agent.config.configuration import Configuration, assemble, decode_snapshot
from fedcloud_agent.config.faults import FILE, VALUE, Fault, FaultyConfigurationError
from fedcloud_agent.config.nodes import Node, Origin, merge
from fedcloud_agent.config.tables import Room, quoted
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import Sections, shorthand

DEFAULT_DIRECTORY = Path("/etc/fedcloud-agent")
MAIN = "agent.yaml"
FRAGMENTS = "conf.d"
_LARGEST_SNAPSHOT = 32 * 1024 * 1024


def load(source: Path, rooms: Mapping[str, Room]) -> Configuration:
    """Return the configuration in the directory ``source``, or in the snapshot file ``source``.

    Raises ConfigurationError; FaultyConfigurationError with every fault at once where files were read.
    """
    try:
        mode = source.stat().st_mode
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no configuration in {source}",
            hint=f"put {MAIN} there ('fedcloud-agent config sample' prints one), or name another place with --config",
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"the configuration in {source} cannot be read: {reason}") from error
    return _load_directory(source, rooms) if stat.S_ISDIR(mode) else _load_snapshot(source, rooms)


def _load_directory(directory: Path, rooms: Mapping[str, Room]) -> Configuration:
    faults: List[Fault] = []
    main = directory / MAIN
    root: Optional[Node] = None
    broken = False
    for file in [main, *_fragments(directory, faults)]:
        tree = _read(file, rooms, faults)
        if tree is None:
            broken = True
        else:
            root = tree if root is None else merge(root, tree)
    # a file that cannot be read leaves holes: what is "missing" then would only hide what is wrong
    if broken or root is None:
        raise FaultyConfigurationError(faults)
    return assemble(directory, main, rooms, root, faults)


def _fragments(directory: Path, faults: List[Fault]) -> List[Path]:
    folder = directory / FRAGMENTS
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        faults.append(Fault(FILE, Origin(str(folder), 1, 1), (), f"the directory cannot be read: {error.strerror}"))
        return []
    for name in names:
        if name.endswith(".yml"):
            reason = "this file would not be read: its name must end in .yaml"
            faults.append(Fault(FILE, Origin(str(folder / name), 1, 1), (), reason))
    return [folder / name for name in names if name.endswith(".yaml")]


def _read(file: Path, rooms: Mapping[str, Room], faults: List[Fault]) -> Optional[Node]:
    # PyYAML is imported where a file of it is read: the daemon's children start from snapshots
    from fedcloud_agent.config import yaml

    try:
        data = _content(file, yaml.LARGEST)
    except OSError as error:
        hint = "; 'fedcloud-agent config sample' prints one" if isinstance(error, FileNotFoundError) else ""
        faults.append(Fault(FILE, Origin(str(file), 1, 1), (), f"the file cannot be read: {error.strerror}{hint}"))
        return None
    tree, found = yaml.parse(data, str(file))
    faults.extend(found)
    if tree is None:
        return None
    if tree.mapping is None and not tree.empty:
        expected = f"a mapping of {', '.join(rooms)}"
        faults.append(Fault(VALUE, tree.origin, (), "", quoted(tree), expected))
        return None
    return _spread(replace(tree, mapping=tree.mapping or {}), rooms)


def _spread(tree: Node, rooms: Mapping[str, Room]) -> Node:
    """Write ``site: NAME`` as the mapping that it stands for, so that another file can add to it."""
    spread = dict(tree.mapping or {})
    for name, node in spread.items():
        room = rooms.get(name)
        short = None if room is None or isinstance(room, Sections) else shorthand(room)
        if short and node.mapping is None and node.items is None and not node.empty:
            spread[name] = Node(node.origin, mapping={short: node}, key=node.key)
    return replace(tree, mapping=spread)


def _content(file: Path, largest: int) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return stream.read(largest + 1)


def _load_snapshot(file: Path, rooms: Mapping[str, Room]) -> Configuration:
    try:
        data = _content(file, _LARGEST_SNAPSHOT)
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        raise ConfigurationError(f"the snapshot {file} cannot be read: {error.strerror}") from error
    directory, root, faults = decode_snapshot(data, file)
    if mode & 0o077:
        raise ConfigurationError(
            f"the snapshot {file} is open to others (mode {mode:04o})",
            hint="a snapshot belongs to the agent: mode 0600",
        )
    return assemble(directory, directory / MAIN, rooms, root, faults)
