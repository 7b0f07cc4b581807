"""Delivery into a directory from which another program sends, as ssmsend does. Messages stay unsigned: it signs.

A message is acknowledged when it lies there under its final name and would survive a power cut. Delivering the same
message again is harmless: while it lies there it is left alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Iterable, Iterator, Tuple

from fedcloud_agent.durable import sync
from fedcloud_agent.errors import AgentError, CannotCreateError, RefusedError, StorageError
from fedcloud_agent.outbox.identity import is_id
from fedcloud_agent.outbox.settings import DirectoryDestination
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, Transport, unnoted
from fedcloud_agent.pki.smime import UnfitError, check_fitness


class DirectoryTransport(Transport):
    """A spool in the layout ``dirq`` (``<8 hex>/<14 hex>``), or a plain directory of files."""

    def __init__(self, settings: DirectoryDestination) -> None:
        self._path = settings.path
        self._nested = settings.layout == "dirq"

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        """Write messages one after the other; see :meth:`Transport.deliver`."""
        for message in messages:
            departing([message.id])
            try:
                self._write(message)
            except UnfitError as error:
                yield Outcome(message.id, False, "", str(error))
            except OSError as error:
                raise self._explain(error) from error
            else:
                yield Outcome(message.id, True, str(self._path), "")

    def ping(self) -> str:
        """Check that a file can be made in the directory."""
        probe = self._path / f"{secrets.token_hex(8)}.tmp"
        try:
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
            probe.unlink()
        except OSError as error:
            raise self._explain(error) from error
        return str(self._path)

    def _write(self, message: Message) -> None:
        if not is_id(message.id):
            raise UnfitError(f"its identity {message.id!r} is not of the form 5ba24c88/5ba24c8f0f129d")
        check_fitness(message.body)
        directory, name = self._place(message.id)
        final = directory / name
        if final.exists():
            return
        temporary = self._temporary(directory, name)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        try:
            with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640), "wb") as file:
                file.write(message.body)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, final)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        sync(directory)

    def _place(self, id: str) -> Tuple[Path, str]:
        minute, name = id.split("/")
        if not self._nested:
            return self._path, f"{minute}-{name}"
        directory = self._path / minute
        _make(directory)
        return directory, name

    def _temporary(self, directory: Path, name: str) -> Path:
        if self._nested:
            # readers of a dirq skip what ends so, and purge it if we die before the end
            return directory / f"{name}.tmp"
        # readers of a plain directory take every file of whatever name, but look into no directory
        hidden = directory / ".partial"
        _make(hidden)
        return hidden / name

    def _explain(self, error: OSError) -> AgentError:
        where = error.filename or self._path
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return RefusedError(
                f"no file can be written in {where}: {error.strerror}",
                hint=f"let the user fedcloud write in {self._path}",
            )
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return CannotCreateError(
                f"the directory {self._path} is not there ({error.strerror})",
                hint="make it, or check 'path_type' and 'path' of the program that sends from it",
            )
        return StorageError(f"writing in {where} failed: {error.strerror}", hint="check the room left on its disk")


def _make(directory: Path) -> None:
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o770)
        sync(directory.parent)
