"""Reading a cloud as accounting does, for the sake of its answers: nothing is written down but what was counted."""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

from fedcloud_agent.clouds.contract import (
    Cloud,
    Listing,
    NoPast,
    Page,
    ProbeFacet,
    UsageFacet,
    VirtualMachine,
    Window,
)
from fedcloud_agent.errors import AgentError, CannotCreateError, StorageError

Progress = Callable[[int, Optional[int]], None]


@dataclass
class Reading:
    """What reading a cloud brought."""

    machines: int = 0
    by_status: Dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    problems: int = 0
    errors: List[Exception] = field(default_factory=list)
    stopped: bool = False
    """Whether it ended at the limit."""


def read(
    cloud: Cloud,
    window: Window,
    limit: Optional[int],
    progress: Progress,
    take: Callable[[VirtualMachine], None] = lambda machine: None,
) -> Reading:
    """Probe the cloud, then read its usage as if nothing were known of it, page by page, up to ``limit`` machines.

    Errors are kept in the result, whatever they are: they are what a recording is made for. One of the disk is raised.
    """
    done = Reading()
    with _kept(done):
        if isinstance(cloud, ProbeFacet):
            cloud.probe()
    with _kept(done):
        if isinstance(cloud, UsageFacet):
            for listing in cloud.usage(lambda scope: window, NoPast()):
                with _kept(done):
                    _read_listing(listing, limit, done, progress, take)
                if done.stopped:
                    break
    return done


def _read_listing(
    listing: Listing, limit: Optional[int], done: Reading, progress: Progress, take: Callable[[VirtualMachine], None]
) -> None:
    for page in listing.pages:
        _count(page, done)
        for machine in page.machines:
            take(machine)
        progress(done.machines, listing.expected)
        if limit is not None and done.machines >= limit:
            done.stopped = True
            _close(listing.pages)
            return


def _close(pages: Iterator[Page]) -> None:
    close = getattr(pages, "close", None)
    if close is not None:
        close()


def _count(page: Page, done: Reading) -> None:
    done.machines += len(page.machines)
    done.unreadable += len(page.unreadable)
    done.problems += len(page.problems)
    for machine in page.machines:
        done.by_status[machine.status] = done.by_status.get(machine.status, 0) + 1


@contextlib.contextmanager
def _kept(done: Reading) -> Iterator[None]:
    """Keep what is raised within, but for what says that the recording itself cannot be written."""
    try:
        yield
    except Exception as error:
        if isinstance(error, AgentError) and error.exit_code in (CannotCreateError.exit_code, StorageError.exit_code):
            raise
        done.errors.append(error)


def where(error: BaseException) -> Optional[str]:
    """Return in which line of ours an error that is none of the cloud's was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "fedcloud_" in frame.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else None
