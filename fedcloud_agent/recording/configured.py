"""A cloud's settings as a recording tells them, so that a replay reads the cloud as the site does.

Only what is not the default is told; secrets and files of the machine are left out, but for JSON files, which say
something about the cloud (which project serves which VO) and are taken along.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Set, Type

from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.recording.bodies import veiled
from fedcloud_agent.recording.veil import Veil
from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Either,
    Integer,
    Kind,
    ListOf,
    Number,
    Secret,
    SecretFile,
    Section,
    Setting,
    Size,
    Url,
    entries,
)

_PLAIN = (Boolean, Choice, Duration, Integer, Number, Size)
SECRET = "/secret"  # noqa: S105 -- a path
"""What stands for every file that holds a secret; a replay puts one of its own there."""
_LARGEST_FILE = 1024 * 1024


def written(table: Type[Any], values: Any) -> Dict[str, Any]:
    """Return the YAML form of what is not the default in a table of settings."""
    found: Dict[str, Any] = {}
    for key, entry in entries(table).items():
        value = getattr(values, key)
        if isinstance(entry, Setting):
            if value is not None and value != entry.default:
                found[key] = entry.kind.write(value) if not isinstance(value, tuple) else list(_items(entry, value))
        elif isinstance(entry, Section):
            if value is not None:
                found[key] = written(entry.table, value)
        elif entry.table is not None and value:
            found[key] = {name: written(entry.table, below) for name, below in value.items()}
    return found


def _items(entry: Setting, value: Any) -> Iterator[object]:
    written_form = entry.kind.write(value)
    assert isinstance(written_form, list)
    yield from written_form


def hidden(table: Type[Any], document: Mapping[str, Any], veil: Veil) -> Dict[str, Any]:
    """Return what of a YAML form may be shown."""
    found: Dict[str, Any] = {}
    for key, entry in entries(table).items():
        if key not in document:
            continue
        value = document[key]
        if isinstance(entry, Setting):
            if isinstance(entry.kind, AbsolutePath):
                continue
            found[key] = _value(entry.kind, value, veil)
        elif isinstance(entry, Section):
            found[key] = hidden(entry.table, value, veil)
        elif entry.table is not None:
            found[key] = {veil.text(name): hidden(entry.table, below, veil) for name, below in value.items()}
    return found


def _value(kind: Kind[Any], value: Any, veil: Veil) -> Any:
    if isinstance(kind, SecretFile):
        return SECRET
    if isinstance(kind, ListOf):
        return [_value(kind.kind, item, veil) for item in value]
    if isinstance(kind, Either):
        plain = [one for one in kind.kinds if isinstance(one, _PLAIN) and _takes(one, value)]
        return _value(plain[0] if plain else kind.kinds[-1], value, veil)
    if isinstance(kind, _PLAIN) or not isinstance(value, str):
        return value
    return veil.place(value) if isinstance(kind, Url) else veil.text(value)


def _takes(kind: Kind[Any], value: Any) -> bool:
    try:
        kind.parse(value)
    except ValueError:
        return False
    return True


def files(table: Type[Any], values: Any, veil: Veil) -> Dict[str, str]:
    """Return what may be shown of the JSON files that are named in a table, by key."""
    found: Dict[str, str] = {}
    for key, entry in entries(table).items():
        value = getattr(values, key)
        if isinstance(entry, Setting) and isinstance(entry.kind, AbsolutePath) and value is not None:
            content = _json_file(value)
            if content:
                found[key] = b"".join(veiled([content], veil)).decode("utf-8", "replace")
    return found


def _json_file(path: Path) -> bytes:
    if path.suffix != ".json":
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE)
    except OSError:
        # reading the cloud will say so
        return b""


def secrets_of(table: Type[Any], values: Any) -> List[str]:
    """Return every secret that a table names, read now. Raises what reading a secret raises."""
    found: List[str] = []
    for key, entry in entries(table).items():
        value = getattr(values, key)
        if isinstance(entry, Section) and value is not None:
            found += secrets_of(entry.table, value)
        elif isinstance(value, Secret):
            found.append(value.read())
    return found


def restored(table: Type[Any], document: Mapping[str, Any], files: Mapping[str, Path], secret: Path) -> Any:
    """Return the settings that a recording tells. ``files`` are those that it has, ``secret`` one to log in with.

    Raises ValueError when a value does not fit, TypeError when one is missing.
    """
    values: Dict[str, Any] = {key: path for key, path in files.items() if key in entries(table)}
    for key, entry in entries(table).items():
        if key not in document:
            continue
        value = document[key]
        if isinstance(entry, Setting):
            values[key] = entry.kind.parse(str(secret) if value == SECRET else value)
        elif isinstance(entry, Section):
            values[key] = restored(entry.table, value, {}, secret)
        elif entry.table is not None:
            values[key] = {name: restored(entry.table, below, {}, secret) for name, below in value.items()}
    return table(**values)


class _Collector:
    """Stands where pseudonyms are made, and keeps what needs one."""

    def __init__(self) -> None:
        self.texts: Set[str] = set()

    def text(self, text: str) -> str:
        """Keep a text."""
        self.texts.add(text)
        return text

    def secret(self, text: str) -> str:
        """Keep a secret."""
        self.texts.add(text)
        return text


def own_words(table: Type[Any], values: Any, harmless: Harmless) -> Set[str]:
    """Return the names, hosts and accounts that a table of settings has and that are not harmless."""
    collector = _Collector()
    hidden(table, written(table, values), Veil(collector, harmless))
    return {text for text in collector.texts if text}
