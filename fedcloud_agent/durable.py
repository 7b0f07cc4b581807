"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from fedcloud_agent.errors import CannotCreateError, StorageError


def make_directory(path: Path, *, mode: int = 0o750) -> None:
    """Make a directory and those above it, if they are missing. Raises CannotCreateError."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotCreateError(
            f"the directory {path} cannot be made: {error.strerror}", hint="check who owns the directory above it"
        ) from error


def sync(path: Path) -> None:
    """Make a file's content, or what was renamed or removed in a directory, outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, *, mode: int = 0o640) -> None:
    """Replace a file by its new content, which a reader sees whole or not at all, also after a power cut.

    ``mode`` holds whatever the umask is. What a writer that was killed left of this file is removed, so that nothing
    piles up. Raises CannotCreateError when the directory does not let us, StorageError when
    the disk does not; the old content then stands.
    """
    # the leading dot and the suffix keep half-written files out of what others list
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except OSError as error:
        raise CannotCreateError(
            f"{path} cannot be written: {error.strerror}", hint=f"check that {path.parent} exists and whose it is"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sweep(path)
        sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StorageError(
            f"{path} cannot be written: {error.strerror}", hint=f"check the space and the health of {path.parent}"
        ) from error


def _sweep(path: Path) -> None:
    """Remove the half-written files of ``path`` whose writers are gone; who is there may still be at it."""
    form = re.compile(rf"\.{re.escape(path.name)}\.([0-9]+)\.[0-9a-f]{{8}}\.tmp")
    for name in os.listdir(path.parent):
        found = form.fullmatch(name)
        if found is not None and not Path("/proc", found.group(1)).exists():
            with contextlib.suppress(FileNotFoundError):
                path.with_name(name).unlink()
