"""A side is filled: slapadd reads the kept tree, as it streams from the disk, into new databases."""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import TracebackType
from typing import Callable, Iterable, Iterator, List, Optional, Type

from fedcloud_agent import process
from fedcloud_agent.errors import StorageError
from fedcloud_agent.infosys.slapd import statistics, words
from fedcloud_agent.infosys.slapd.configuration import SUFFIX
from fedcloud_agent.infosys.slapd.installation import Installation
from fedcloud_agent.infosys.slapd.side import Side

log = logging.getLogger(__name__)

DEADLINE = 90.0
"""Seconds for a whole load; the service manager is told that we live in between, and waits no longer than this."""

_BLOCK = 65536


class LoadError(StorageError):
    """slapadd could not make a database of the tree."""


def load(
    found: Installation,
    side: Side,
    configuration: str,
    records: Iterable[bytes],
    host: str,
    *,
    between: Callable[[], None] = lambda: None,
) -> int:
    """Fill a side anew and return how many entries of the tree it holds.

    ``between`` is called now and then, and ends the load by raising. Raises LoadError, CannotCreateError, StorageError,
    and what ``records`` raises; the side is then removed again.
    """
    began = time.monotonic()
    blocks = _Blocks(records, between)
    try:
        side.make()
        side.write(configuration, statistics.schema())
        with _Beside(lambda: _add(found, side, statistics.SUFFIX, statistics.records(host))):
            _add(found, side, SUFFIX, blocks)
        if not blocks.number:
            raise LoadError("the kept tree holds no entry", hint="run 'fedcloud-agent infosys publish'")
    except BaseException:
        side.remove()
        raise
    log.info("%d entries were loaded into %s in %.2f s", blocks.number, side.path, time.monotonic() - began)
    return blocks.number


class _Beside(threading.Thread):
    """Does something small while a with block does something large, and raises at its end what it raised."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        """Do it."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 -- raised again where it is awaited
            self._error = error

    def __enter__(self) -> None:
        self.start()

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.join()
        if value is None and self._error is not None:
            raise self._error


class _Blocks:
    """Records in blocks that a pipe takes at once, and how many records these were."""

    def __init__(self, records: Iterable[bytes], between: Callable[[], None]) -> None:
        self._records = records
        self._between = between
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        block: List[bytes] = []
        size = 0
        for record in self._records:
            block.append(record)
            size += len(record)
            if size >= _BLOCK:
                self.number += len(block)
                self._between()
                yield b"".join(block)
                block, size = [], 0
        self.number += len(block)
        yield b"".join(block)


def _add(found: Installation, side: Side, suffix: str, records: Iterable[bytes]) -> None:
    argv = [str(found.slapadd), "-q", "-f", str(side.configuration), "-b", suffix]
    done = process.run(argv, deadline=DEADLINE, input=records, check=False, cwd=side.path)
    if done.exit_code != 0:
        said = words.gist([words.plain(line) for line in done.stderr.decode("utf-8", "replace").splitlines()])
        if done.exit_code == -signal.SIGBUS:
            # it writes to mapped files: so the kernel says that the disk has no more room
            said = "No space left on device"
        raise LoadError(
            f"slapadd could not load {suffix} into {side.path}: {said or process.how(done.exit_code)}",
            hint="check the space on the disk and the file that infosys.schema names; "
            "'fedcloud-agent infosys check' judges the tree",
        )
