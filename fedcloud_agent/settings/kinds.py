"""Kinds of values: text, numbers, words, paths, URLs, and lists of these."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Dict, Generic, List, Optional, Tuple, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")


class Kind(ABC, Generic[T]):
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

    @abstractmethod
    def parse(self, value: object) -> T:
        """Return the program's form of a YAML value."""

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
