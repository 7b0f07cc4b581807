"""What is wrong with a configuration: each fault with its place, what was found and what was expected."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from fedcloud_agent.config.nodes import Origin, Path, dotted
from fedcloud_agent.errors import ConfigurationError

FILE = "file"
SYNTAX = "syntax"
DUPLICATE = "duplicate"
UNKNOWN = "unknown"
MISSING = "missing"
VALUE = "value"
RULE = "rule"
PLUGIN = "plugin"
MASK = "***"
"""Stands for what may be a secret."""
SECRET = "secret"  # noqa: S105 -- the kind of a fault


@dataclass(frozen=True)
class Fault:
    """One thing to mend. ``written`` is the value as the site wrote it, masked where it may be a secret."""

    kind: str
    origin: Origin
    path: Path
    reason: str
    written: Optional[str] = None
    expected: Optional[str] = None
    nearest: Optional[str] = None

    def sentence(self) -> str:
        """Say it without the place."""
        found = None if self.written is None else f"found {self.written}"
        what = ": ".join(part for part in (dotted(self.path), found, self.reason) if part)
        expected = f"; expected {self.expected}" if self.expected else ""
        meant = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return printable(f"{what}{expected}{meant}")

    def __str__(self) -> str:
        return f"{self.origin}: {self.sentence()}"

    def as_json(self) -> Dict[str, object]:
        """Return what a program wants to know."""
        return {
            "kind": self.kind,
            "file": self.origin.file,
            "line": self.origin.line,
            "column": self.origin.column,
            "path": dotted(self.path),
            "parts": list(self.path),
            "reason": self.reason,
            "written": self.written,
            "expected": self.expected,
            "nearest": self.nearest,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Fault:
        """Take back what ``as_json`` returned, its path taken from ``parts``."""
        origin = Origin(str(value["file"]), int(value["line"]), int(value["column"]))
        words = [None if value[key] is None else str(value[key]) for key in ("written", "expected", "nearest")]
        return cls(str(value["kind"]), origin, tuple(map(str, value["parts"])), str(value["reason"]), *words)


class FaultyConfigurationError(ConfigurationError):
    """The configuration has faults that stop everything; ``faults`` are all that were found, by their place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: List[Fault] = in_order(faults)
        count = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(
            f"the configuration has {count}:\n" + "\n".join(f"  {fault}" for fault in self.faults),
            hint="'fedcloud-agent config check' shows each in its line; 'config sample' explains every key",
        )


def printable(text: str) -> str:
    """Return a text on one line without what would steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def in_order(faults: Iterable[Fault]) -> List[Fault]:
    """Sort by file, line and column."""
    return sorted(faults, key=lambda fault: (fault.origin, fault.path))


def nearest(word: str, words: Sequence[str]) -> Optional[str]:
    """Return the word that was probably meant, if any is close."""
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if found:
        return found[0]
    prefixed = [candidate for candidate in words if len(word) > 2 and candidate.startswith(word)]
    return prefixed[0] if len(prefixed) == 1 else None
