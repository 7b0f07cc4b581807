"""Looks on at the HTTP door, and writes what it sees into a recording once the veil is over it.

An answer lies in an unnamed temporary file until its end is seen: in memory only its present piece.
"""

from __future__ import annotations

import tempfile
import threading
import time
from typing import IO, Any, Dict, List, Optional, Set
from urllib.parse import urlsplit

from fedcloud_agent.errors import AgentError, StorageError, UnreachableError
from fedcloud_agent.http.witness import Headers, Sent
from fedcloud_agent.recording.archive import ArchiveWriter, Exchange
from fedcloud_agent.recording.bodies import pieces_of, veiled
from fedcloud_agent.recording.veil import Veil

_IN_MEMORY = 256 * 1024
_VERSION = "openstack-api-version"

CUT_OFF = "cut off"
SILENT = "silent"
REFUSED = "refused"


class Recorder:
    """An observer that keeps what it sees. Threads may call it at the same time."""

    def __init__(self, archive: ArchiveWriter, veil: Veil) -> None:
        self._archive = archive
        self._veil = veil
        self._lock = threading.Lock()
        self._begun = 0
        self.count = 0
        self.origins: List[str] = []
        """Where requests went, as it stands in the recording, in the order in which each was first called."""
        self.versions: Set[str] = set()
        """The versions of its interface that the cloud named in its answers."""

    def __call__(self, sent: Sent) -> _Watched:
        """Begin an exchange."""
        with self._lock:
            self._begun += 1
            return _Watched(self, self._begun, sent)

    def keep(self, watched: _Watched, failure: Optional[AgentError]) -> None:
        """Write an exchange that came to its end. Raises StorageError."""
        veil, sent = self._veil, watched.sent
        with self._lock, watched.spool as spool, tempfile.SpooledTemporaryFile(_IN_MEMORY) as shown:
            spool.seek(0)
            size = 0
            for piece in veiled(pieces_of(spool), veil):
                shown.write(piece)
                size += len(piece)
            shown.seek(0)
            body = b"".join(veiled([sent.body], veil, request=True)).decode("utf-8", "replace")
            url = veil.place(sent.url)
            exchange = Exchange(
                watched.number,
                sent.method,
                url,
                veil.headers(sent.headers),
                body,
                watched.status,
                veil.headers(watched.headers),
                None if failure is None else _kind(failure, watched.status),
                round(time.monotonic() - watched.began, 3),
            )
            origin = "://".join(urlsplit(url)[:2])
            if origin not in self.origins:
                self.origins.append(origin)
            self.versions.update(value for name, value in watched.headers if name.lower() == _VERSION)
            self._archive.add(exchange, shown, size)
            self.count += 1

    def summary(self) -> Dict[str, Any]:
        """Return what the manifest says of the exchanges."""
        return {"exchanges": self.count, "origins": self.origins, "versions": sorted(self.versions)}


class _Watched:
    """One exchange under way."""

    def __init__(self, recorder: Recorder, number: int, sent: Sent) -> None:
        self.recorder, self.number, self.sent = recorder, number, sent
        self.began = time.monotonic()
        self.status: Optional[int] = None
        self.headers: Headers = ()
        self.spool: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)

    def answered(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers

    def piece(self, data: bytes) -> None:
        try:
            self.spool.write(data)
        except OSError as error:
            raise StorageError(
                f"an answer cannot be kept in {tempfile.gettempdir()}: {error.strerror}",
                hint="make space there, or name another directory with TMPDIR",
            ) from error

    def ended(self, failure: Optional[AgentError]) -> None:
        try:
            self.recorder.keep(self, failure)
        except OSError as error:
            raise StorageError(f"an exchange cannot be kept: {error.strerror}") from error


def _kind(failure: AgentError, status: Optional[int]) -> str:
    """Return what a replay can do again: stop in the midst of an answer, say nothing, or refuse the connection."""
    if status is not None:
        return CUT_OFF
    return SILENT if isinstance(failure, UnreachableError) else REFUSED
