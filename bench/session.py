"""One run of the bench: how large its numbers are, where it works, and what figures share."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any, ContextManager, Dict, Optional, Type, TypeVar

T = TypeVar("T")


class Session:
    """Handed to every figure. ``directory`` is empty at the start and removed at the end."""

    def __init__(self, directory: Path, quick: bool) -> None:
        self.directory = directory
        self.quick = quick
        self.turns = 1 if quick else 3
        self.kept: Dict[str, Any] = {}
        self._open = contextlib.ExitStack()

    def size(self, full: T, quick: T) -> T:
        """Return the number to work with."""
        return quick if self.quick else full

    def room(self, name: str) -> Path:
        """Return a new directory."""
        path = self.directory / f"{name}-{sum(1 for _ in self.directory.iterdir())}"
        path.mkdir()
        return path

    def enter(self, what: ContextManager[T]) -> T:
        """Open something that stays open until the session ends."""
        return self._open.enter_context(what)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._open.close()
