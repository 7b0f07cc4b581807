"""The file of a recording: a compressed tar that any tool can look into.

``000001.json`` is a request and the head of its answer, ``000001.body`` the answer's body; they are in the order in
which the answers came to their ends, and numbered in that of the requests. ``manifest.json`` is the last.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Tuple, cast

from fedcloud_agent.errors import CannotCreateError, RemoteDataError, StorageError

FORMAT = 1
MANIFEST = "manifest.json"
_LARGEST_HEAD = 64 * 1024 * 1024


@dataclass(frozen=True)
class Exchange:
    """A request and what came of it. ``status`` is None when there was no answer; ``failure`` is why it has no end."""

    number: int
    method: str
    url: str
    headers: List[List[str]]
    body: str
    status: Optional[int]
    answer_headers: List[List[str]]
    failure: Optional[str]
    seconds: float

    def as_json(self) -> Dict[str, Any]:
        """Return the document that is kept."""
        return {
            "number": self.number,
            "request": {"method": self.method, "url": self.url, "headers": self.headers, "body": self.body},
            "answer": None if self.status is None else {"status": self.status, "headers": self.answer_headers},
            "failure": self.failure,
            "seconds": self.seconds,
        }


def exchange_from(document: Any) -> Exchange:
    """Return the exchange that a document tells. Raises KeyError, TypeError or ValueError when it tells none."""
    request, answer = document["request"], document["answer"]
    return Exchange(
        int(document["number"]),
        str(request["method"]),
        str(request["url"]),
        [[str(name), str(value)] for name, value in request["headers"]],
        str(request["body"]),
        None if answer is None else int(answer["status"]),
        [] if answer is None else [[str(name), str(value)] for name, value in answer["headers"]],
        None if document["failure"] is None else str(document["failure"]),
        float(document["seconds"]),
    )


class _Tar(tarfile.TarFile):
    """A tar; it remembers each of its members, unless it is told to forget."""

    members: List[tarfile.TarInfo]


class ArchiveWriter:
    """Writes a new recording, which only its owner can read. Raises CannotCreateError when there is such a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotCreateError(
                f"the recording {path} cannot be made: {error.strerror}",
                hint="name a file that does not exist yet, in a directory that you can write to",
            ) from error
        self._file = os.fdopen(descriptor, "wb")
        os.fchmod(self._file.fileno(), 0o600)
        self._gzip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=6)
        self._tar = _Tar.open(fileobj=cast(IO[bytes], self._gzip), mode="w")

    def add(self, exchange: Exchange, body: IO[bytes], size: int) -> None:
        """Add an exchange, whose answer's body is read from ``body``."""
        name = f"{exchange.number:06d}"
        self._add(f"{name}.json", _encoded(exchange.as_json()))
        self._put(_member(f"{name}.body", size), body)

    def finish(self, manifest: Dict[str, Any]) -> None:
        """Add the manifest, and make everything outlast a power cut."""
        self._add(MANIFEST, _encoded(manifest))
        with self._told():
            self._tar.close()
            self._gzip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def discard(self) -> None:
        """Remove the file, of which nothing is of use."""
        self.path.unlink(missing_ok=True)
        for file in (self._gzip, self._file):
            # where the disk is full there is no room for their ends either
            with contextlib.suppress(OSError, ValueError):
                file.close()

    def _add(self, name: str, data: bytes) -> None:
        self._put(_member(name, len(data)), io.BytesIO(data))

    def _put(self, member: tarfile.TarInfo, data: IO[bytes]) -> None:
        with self._told():
            self._tar.addfile(member, data)
        self._tar.members.clear()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be written: {error.strerror}", hint=f"check the space in {self.path.parent}"
            ) from error


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _encoded(document: Dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def exchanges(path: Path) -> Iterator[Tuple[Exchange, IO[bytes]]]:
    """Yield what a recording holds, each with its answer's body, which can be read until the next is asked for.

    Raises RemoteDataError when it is no recording, or broken off.
    """
    for name, document, body in _members(path):
        if name != MANIFEST:
            assert body is not None
            try:
                yield exchange_from(document), body
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise RemoteDataError(f"{path}: {name} is not shaped as an exchange: {error!r}") from error


def manifest_of(path: Path) -> Dict[str, Any]:
    """Return the manifest of a recording. Raises RemoteDataError when it is no recording, or has no end."""
    for name, document, _ in _members(path):
        if name == MANIFEST:
            if not isinstance(document, dict) or document.get("format") != FORMAT:
                raise RemoteDataError(f"{path} is a recording of another format than {FORMAT}")
            return document
    raise RemoteDataError(f"{path} has no {MANIFEST}: it was broken off")


def _members(path: Path) -> Iterator[Tuple[str, Any, Optional[IO[bytes]]]]:
    try:
        with _Tar.open(path, mode="r|gz") as tar:
            head: Optional[Tuple[str, Any]] = None
            for member in tar:
                tar.members.clear()
                file = tar.extractfile(member)
                if file is None:
                    raise RemoteDataError(f"{path} is no recording: {member.name} is no file")
                if member.name.endswith(".json"):
                    document = json.loads(file.read(_LARGEST_HEAD))
                    if member.name == MANIFEST:
                        yield member.name, document, None
                    head = (member.name, document)
                elif head is not None:
                    yield head[0], head[1], file
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise RemoteDataError(f"{path} is no recording, or broken off: {error}") from error
    except OSError as error:
        raise RemoteDataError(f"{path} cannot be read as a recording: {error.strerror or error}") from error
