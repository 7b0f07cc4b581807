"""The tables in which each room declares its own settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Type, TypeVar, Union

from fedcloud_agent.settings.kinds import Kind, Text

T = TypeVar("T")


class _Required:
    """Stands where a value must be given; a type of its own so that None remains a value."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()


_KEY = "fedcloud_agent.settings"


@dataclass(frozen=True)
class Setting:
    """One value of a table. ``example`` is its YAML form for samples where the default says too little."""

    kind: Kind[Any]
    help: str
    default: object
    example: Optional[object] = None


@dataclass(frozen=True)
class Section:
    """A table inside a table."""

    table: Type[Any]
    help: str
    optional: bool = False


@dataclass(frozen=True)
class Sections:
    """Tables by a name that the site chooses; with ``variants`` the key ``type`` of each says which table it is.

    ``variants`` is called when a configuration is loaded, so that plugins are found then and not at import. A text in
    place of a table says why that variant cannot be used.
    """

    table: Optional[Type[Any]]
    variants: Optional[Callable[[], Mapping[str, Union[Type[Any], str]]]]
    help: str
    key: Kind[str]
    example: Optional[str] = None


Entry = Union[Setting, Section, Sections]


def setting(kind: Kind[T], *, help: str, default: Any = REQUIRED, example: Optional[object] = None) -> Any:
    """Declare a value. ``default`` is the program's form (seconds, bytes, Path …); without one it must be given."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(kind, help, default, example)})


def section(table: Type[Any], *, help: str, optional: bool = False) -> Any:
    """Declare a table inside a table. Absent, it is the table of all defaults, or None where it is optional."""
    return dataclasses.field(default=None if optional else REQUIRED, metadata={_KEY: Section(table, help, optional)})


def sections(
    table: Optional[Type[Any]] = None,
    *,
    help: str,
    variants: Optional[Callable[[], Mapping[str, Union[Type[Any], str]]]] = None,
    key: Optional[Kind[str]] = None,
    example: Optional[str] = None,
) -> Any:
    """Declare tables by name (a mapping, empty when absent): all of one kind, or of the variant that ``type`` names."""
    name = key or Text("a name of letters, digits, dots and dashes", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*")
    return dataclasses.field(default_factory=dict, metadata={_KEY: Sections(table, variants, help, name, example)})


def entries(table: Type[Any]) -> Mapping[str, Entry]:
    """Return what a table declares, by key, in the order in which it is declared."""
    return {f.name: f.metadata[_KEY] for f in dataclasses.fields(table) if _KEY in f.metadata}


def shorthand(table: Type[Any]) -> Optional[str]:
    """Return the key that a scalar stands for where the whole table is expected (``site: NAME``), if any."""
    value = getattr(table, "__shorthand__", None)
    return value if isinstance(value, str) else None


def room_help(table: Type[Any]) -> str:
    """Return what a table is for: its docstring, folded into one paragraph."""
    return " ".join((table.__doc__ or "").split())
