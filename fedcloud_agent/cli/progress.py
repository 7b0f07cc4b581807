"""A progress bar where a person waits, and nothing at all elsewhere."""

from __future__ import annotations

import contextlib
import sys
from typing import Callable, Iterator, Optional


def _silent(done: int, total: Optional[int] = None) -> None:
    pass


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, Optional[int]], None]]:
    """Yield a function that is told how many are done, and of how many if that is known."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: Optional[int] = None) -> None:
            bar.update(task, completed=done, total=total)

        yield tell
