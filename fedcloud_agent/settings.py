"""What a setting is: kinds of values, and the tables in which each room declares its own settings.

A table is a frozen dataclass whose fields are made by :func:`setting`, :func:`section` and :func:`sections`. One
table gives the loaded values (typed, as attributes), the errors, the samples in ``etc/``, the JSON Schema, the
reference page and the man page. This module knows neither YAML nor files: ``config`` does.

Rules between values of one table: a method ``faults(self) -> Iterable[Tuple[str, str]]`` yields pairs of a key and
what is wrong with it; it is called once every value of the table was parsed.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Generic, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union
from urllib.parse import urlsplit

from fedcloud_agent.errors import ConfigurationError, RefusedError

T = TypeVar("T")


class _Required:
    """Stands where a value must be given; a type of its own so that None remains a value."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()


class Kind(Generic[T]):
    """A kind of value: how it is written in YAML, checked, shown and described.

    ``expects`` completes the sentence "expected …". ``parse`` takes what YAML gave (str, int, float, bool, list, dict,
    date) and returns the value for the program, or raises ValueError with its own reason (may be empty).
    """

    expects: str = "a value"
    secret: bool = False

    @property
    def brief(self) -> str:
        """What it takes where units are explained elsewhere: in the sample and the reference page."""
        return self.expects

    def parse(self, value: object) -> T:
        """Return the program's form of a YAML value."""
        raise NotImplementedError(type(self).__name__)

    def write(self, value: T) -> object:
        """Return the YAML form of a value; what ``parse`` takes back."""
        return value

    def mask(self, value: object) -> object:
        """Return the YAML form of a value fit to be shown: secrets masked."""
        return value

    def schema(self) -> Dict[str, object]:
        """Return the JSON Schema (draft 7) of the YAML form."""
        return {}


class Text(Kind[str]):
    """A line of text, optionally of a pattern."""

    def __init__(self, expects: str = "a text", *, pattern: Optional[str] = None) -> None:
        self.expects = expects
        self.pattern = pattern

    def parse(self, value: object) -> str:
        """Take a non-empty string without control characters; numbers are a common slip and get a reason."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError("a number; put it in quotes")
        if not isinstance(value, str) or not value or any(ord(c) < 32 for c in value):
            raise ValueError
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise ValueError
        return value

    def schema(self) -> Dict[str, object]:
        """Describe as a string, with the pattern if there is one."""
        return {"type": "string", **({"pattern": f"^(?:{self.pattern})$"} if self.pattern else {})}


class Boolean(Kind[bool]):
    """True or false."""

    expects = "true or false"

    def parse(self, value: object) -> bool:
        """Take a YAML boolean."""
        if not isinstance(value, bool):
            raise ValueError
        return value

    def schema(self) -> Dict[str, object]:
        """Describe as a boolean."""
        return {"type": "boolean"}


class Integer(Kind[int]):
    """A whole number within bounds."""

    def __init__(self, minimum: int, maximum: int, *, unit: str = "") -> None:
        self.minimum, self.maximum = minimum, maximum
        self.expects = f"a whole number from {minimum} to {maximum}" + (f" ({unit})" if unit else "")

    def parse(self, value: object) -> int:
        """Take a YAML integer within the bounds."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def schema(self) -> Dict[str, object]:
        """Describe as a bounded integer."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Number(Kind[float]):
    """A number within bounds."""

    def __init__(self, minimum: float, maximum: float, *, unit: str = "") -> None:
        self.minimum, self.maximum = minimum, maximum
        self.expects = f"a number from {minimum:g} to {maximum:g}" + (f" ({unit})" if unit else "")

    def parse(self, value: object) -> float:
        """Take a YAML integer or float within the bounds."""
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            raise ValueError
        return float(value)

    def schema(self) -> Dict[str, object]:
        """Describe as a bounded number."""
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}


class Choice(Kind[str]):
    """One word out of a few."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.expects = "one of " + ", ".join(words)

    def parse(self, value: object) -> str:
        """Take one of the words."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return value

    def schema(self) -> Dict[str, object]:
        """Describe as an enumeration."""
        return {"enum": list(self.words)}


def _with_unit(value: object, units: Mapping[str, int]) -> int:
    match = re.fullmatch(r"(\d{1,15})\s*([A-Za-z]+)", value) if isinstance(value, str) else None
    if match is None or match.group(2) not in units:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{value} has no unit")
        raise ValueError
    return int(match.group(1)) * units[match.group(2)]


def _in_units(value: int, units: Mapping[str, int]) -> str:
    unit = max((u for u in units if value % units[u] == 0), key=lambda u: units[u]) if value else next(iter(units))
    return f"{value // units[unit]}{unit}"


class Duration(Kind[int]):
    """A span of time in seconds, always written with its unit."""

    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}

    def __init__(self, minimum: int = 0, maximum: int = 10 * 365 * 86400) -> None:
        self.minimum, self.maximum = minimum, maximum
        self._range = f"a duration from {_in_units(minimum, self.units)} to {_in_units(maximum, self.units)}"
        self.expects = f"{self._range}, with a unit (s, min, h, d), such as 90s or 4h"

    @property
    def brief(self) -> str:
        """The range alone."""
        return self._range

    def parse(self, value: object) -> int:
        """Return seconds."""
        seconds = _with_unit(value, self.units)
        if not self.minimum <= seconds <= self.maximum:
            raise ValueError
        return seconds

    def write(self, value: int) -> object:
        """Return the shortest exact spelling."""
        return _in_units(value, self.units)

    def schema(self) -> Dict[str, object]:
        """Describe the spelling."""
        return {"type": "string", "pattern": r"^\d{1,15}\s*(s|min|h|d)$"}


class Size(Kind[int]):
    """A number of bytes, always written with its unit (kB, MB, GB are powers of 1000; KiB, MiB, GiB of 1024)."""

    units = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

    def __init__(self, minimum: int = 0, maximum: int = 2**60) -> None:
        self.minimum, self.maximum = minimum, maximum
        self._range = f"a size from {_in_units(minimum, self.units)} to {_in_units(maximum, self.units)}"
        self.expects = f"{self._range}, with a unit (B, kB, MB, GB, KiB, MiB, GiB), such as 600kB"

    @property
    def brief(self) -> str:
        """The range alone."""
        return self._range

    def parse(self, value: object) -> int:
        """Return bytes."""
        size = _with_unit(value, self.units)
        if not self.minimum <= size <= self.maximum:
            raise ValueError
        return size

    def write(self, value: int) -> object:
        """Return the shortest exact spelling."""
        return _in_units(value, self.units)

    def schema(self) -> Dict[str, object]:
        """Describe the spelling."""
        return {"type": "string", "pattern": r"^\d{1,15}\s*(B|kB|MB|GB|KiB|MiB|GiB)$"}


@dataclass(frozen=True)
class When:
    """A schedule: every so many seconds, or by a crontab line in UTC. Exactly one of the two is set."""

    every: Optional[int] = None
    crontab: Optional[str] = None

    def __str__(self) -> str:
        return f"every {Duration().write(self.every)}" if self.every is not None else str(self.crontab)


class Schedule(Kind[When]):
    """When a loop runs: ``every 1h``, or five crontab fields in UTC."""

    expects = "a schedule: 'every DURATION' such as 'every 1h', or five crontab fields (UTC) such as '5 0 1 * *'"
    brief = "a schedule"
    _limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    _names = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"

    def parse(self, value: object) -> When:
        """Return the schedule; numbers of crontab fields are checked against their range."""
        if not isinstance(value, str):
            raise ValueError
        words = value.split()
        if len(words) == 2 and words[0] == "every":
            return When(every=Duration(minimum=10).parse(words[1]))
        if len(words) != 5:
            raise ValueError
        for field, (low, high) in zip(words, self._limits):
            for part in field.lower().split(","):
                match = re.fullmatch(rf"(\*|\d+|{self._names})(?:-(\d+|{self._names}))?(?:/(\d+))?", part)
                if match is None or match.group(3) == "0":
                    raise ValueError(f"{field!r} is not a crontab field")
                if not all(low <= int(n) <= high for n in match.group(1, 2) if n and n.isdigit()):
                    raise ValueError(f"{field!r} is outside {low} to {high}")
        return When(crontab=" ".join(words))

    def write(self, value: When) -> object:
        """Return the spelling."""
        return str(value)

    def schema(self) -> Dict[str, object]:
        """Describe the two spellings."""
        return {"type": "string", "pattern": r"^(every \d+\s*(s|min|h|d)|\S+( \S+){4})$"}


class Date(Kind[int]):
    """A day in UTC, as the instant at which it begins."""

    expects = "a date as YYYY-MM-DD (UTC)"

    def parse(self, value: object) -> int:
        """Return the instant of 00:00:00 UTC. YAML already made a date of an unquoted one."""
        if isinstance(value, str):
            value = datetime.date.fromisoformat(value)
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise ValueError
        start = datetime.datetime.combine(value, datetime.time(), datetime.timezone.utc)
        return int(start.timestamp())

    def write(self, value: int) -> object:
        """Return YYYY-MM-DD."""
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).date().isoformat()

    def schema(self) -> Dict[str, object]:
        """Describe as a date."""
        return {"type": "string", "format": "date"}


class AbsolutePath(Kind[Path]):
    """A file or directory of this machine, named from the root."""

    expects = "an absolute path"

    def parse(self, value: object) -> Path:
        """Take an absolute path without parent references."""
        if not isinstance(value, str) or not value.startswith("/") or "\0" in value or ".." in Path(value).parts:
            raise ValueError
        return Path(value)

    def write(self, value: Path) -> object:
        """Return the path as text."""
        return str(value)

    def schema(self) -> Dict[str, object]:
        """Describe as a string that begins with a slash."""
        return {"type": "string", "pattern": "^/"}


@dataclass(frozen=True)
class Secret:
    """Where a secret lies; it is read when it is used, and never kept.

    ``source`` is an absolute path, or the name of a systemd credential (a file in $CREDENTIALS_DIRECTORY).
    """

    source: str

    @property
    def path(self) -> Path:
        """The file that holds the secret. Raises ConfigurationError if a credential was not handed to us."""
        if self.source.startswith("/"):
            return Path(self.source)
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise ConfigurationError(
                f"the systemd credential {self.source!r} is not there: CREDENTIALS_DIRECTORY is not set",
                hint=f"add LoadCredential={self.source}:/path to the unit, or give an absolute path",
            )
        return Path(directory) / self.source

    def read(self) -> str:
        """Return the secret without its final line break.

        Raises RefusedError when others than owner and group can read the file, ConfigurationError when it cannot be
        read or is empty.
        """
        path = self.path
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(65537)
        except OSError as error:
            raise ConfigurationError(
                f"the secret {path} cannot be read: {error.strerror}", hint="check that it exists and whose it is"
            ) from error
        if stat.S_IMODE(mode) & 0o007:
            raise RefusedError(
                f"the secret {path} can be read by others (mode {stat.S_IMODE(mode):04o})", hint=f"chmod o-rwx {path}"
            )
        text = data.decode("utf-8", "replace").rstrip("\r\n")
        if not text or len(data) > 65536:
            raise ConfigurationError(f"the secret {path} is {'empty' if not text else 'larger than 64 KiB'}")
        return text


class SecretFile(Kind[Secret]):
    """A secret by reference: an absolute path, or the name of a systemd credential."""

    expects = "the absolute path of a file that holds the secret, or the name of a systemd credential"
    brief = "a path, or the name of a systemd credential"
    secret = True

    def parse(self, value: object) -> Secret:
        """Take a path or a credential's name; the file is not opened here."""
        if isinstance(value, str) and value.startswith("/"):
            return Secret(str(AbsolutePath().parse(value)))
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError
        return Secret(value)

    def write(self, value: Secret) -> object:
        """Return the reference."""
        return value.source

    def mask(self, value: object) -> object:
        """Show a path; anything else may be a secret that was put here by mistake."""
        return value if isinstance(value, str) and value.startswith("/") else "***"

    def schema(self) -> Dict[str, object]:
        """Describe as a string."""
        return {"type": "string", "minLength": 1}


class Url(Kind[str]):
    """A URL of one of the given schemes; a password in it is masked when shown, and refused unless allowed."""

    def __init__(self, *schemes: str, password: bool = False, host: bool = True) -> None:
        self.schemes = schemes
        self.password = password
        self.host = host
        self.expects = "a URL that begins with " + " or ".join(f"{s}://" for s in schemes)

    def parse(self, value: object) -> str:
        """Take a URL with a host and a valid port."""
        if not isinstance(value, str) or re.search(r"\s", value):
            raise ValueError
        try:
            parts = urlsplit(value)
        except ValueError:
            raise ValueError from None  # its own words quote the value, and with it a password
        if parts.scheme not in self.schemes or (self.host and not parts.hostname):
            raise ValueError
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("the port is no number from 0 to 65535") from None
        if parts.password is not None and not self.password:
            raise ValueError("a password in a URL ends in logs; give it by file")
        return value

    def mask(self, value: object) -> object:
        """Hide a password, also in what is no valid URL."""
        return re.sub(r"(://[^/@]*?:).*@", r"\1***@", value) if isinstance(value, str) else value

    def schema(self) -> Dict[str, object]:
        """Describe as a URI."""
        return {"type": "string", "pattern": f"^({'|'.join(re.escape(s) for s in self.schemes)})://"}


class ListOf(Kind[Tuple[T, ...]]):
    """A list of values of one kind."""

    def __init__(self, kind: Kind[T], *, minimum: int = 0) -> None:
        self.kind, self.minimum = kind, minimum
        self._start = f"a list{' of at least ' + str(minimum) if minimum else ''}, each "
        self.expects = self._start + kind.expects

    @property
    def brief(self) -> str:
        """The items in brief."""
        return self._start + self.kind.brief

    def parse(self, value: object) -> Tuple[T, ...]:
        """Return the parsed items; the reason names the first bad one."""
        if not isinstance(value, list) or len(value) < self.minimum:
            raise ValueError
        items: List[T] = []
        for number, item in enumerate(value, 1):
            try:
                items.append(self.kind.parse(item))
            except ValueError as error:
                raise ValueError(f"item {number}, {item!r}{': ' if str(error) else ''}{error}") from None
        return tuple(items)

    def write(self, value: Tuple[T, ...]) -> object:
        """Return the items as YAML."""
        return [self.kind.write(item) for item in value]

    def mask(self, value: object) -> object:
        """Mask each item."""
        return [self.kind.mask(item) for item in value] if isinstance(value, list) else value

    def schema(self) -> Dict[str, object]:
        """Describe as an array."""
        return {"type": "array", "items": self.kind.schema(), "minItems": self.minimum}


class Either(Kind[Any]):
    """A value of any of several kinds; the first that takes it wins."""

    def __init__(self, *kinds: Kind[Any]) -> None:
        self.kinds = kinds
        self.expects = ", or ".join(kind.expects for kind in kinds)

    @property
    def brief(self) -> str:
        """The alternatives in brief."""
        return ", or ".join(kind.brief for kind in self.kinds)

    def parse(self, value: object) -> Any:
        """Return what the first fitting kind makes of the value."""
        for kind in self.kinds:
            try:
                return kind.parse(value)
            except ValueError:
                continue
        raise ValueError

    def write(self, value: Any) -> object:
        """Return the YAML form by the first kind whose own parse takes it back to the same value."""
        for kind in self.kinds:
            try:
                written = kind.write(value)
                if kind.parse(written) == value:
                    return written
            except (ValueError, TypeError, AttributeError):
                continue
        return value

    def mask(self, value: object) -> object:
        """Mask by every kind, since any may be meant."""
        for kind in self.kinds:
            value = kind.mask(value)
        return value

    def schema(self) -> Dict[str, object]:
        """Describe as alternatives."""
        return {"anyOf": [kind.schema() for kind in self.kinds]}


# ---------------------------------------------------------------- tables

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


__all__: Sequence[str] = [
    "REQUIRED",
    "AbsolutePath",
    "Boolean",
    "Choice",
    "Date",
    "Duration",
    "Either",
    "Entry",
    "Integer",
    "Kind",
    "ListOf",
    "Number",
    "Schedule",
    "Secret",
    "SecretFile",
    "Section",
    "Sections",
    "Setting",
    "Size",
    "Text",
    "Url",
    "When",
    "entries",
    "room_help",
    "section",
    "sections",
    "setting",
    "shorthand",
]
