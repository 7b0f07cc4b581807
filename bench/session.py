"""One run of the bench: how large its numbers are, where it works, and what figures share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, TypeVar

T = TypeVar("T")


class Session:
    """Handed to every figure. ``directory`` is empty at the start and removed at the end."""

    def __init__(self, directory: Path, quick: bool) -> None:
        self.directory = directory
        self.quick = quick
        self.turns = 1 if quick else 3
        self.kept: Dict[str, Any] = {}

    def size(self, full: T, quick: T) -> T:
        """Return the number to work with."""
        return quick if self.quick else full

    def room(self, name: str) -> Path:
        """Return a new directory."""
        path = self.directory / f"{name}-{sum(1 for _ in self.directory.iterdir())}"
        path.mkdir()
        return path
