"""Making a recording: read the cloud while the recorder looks on, and say at its end what it is."""

from __future__ import annotations

import platform
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Type

from fedcloud_agent import __version__
from fedcloud_agent.clock import DAY
from fedcloud_agent.clouds.contract import Cloud, RecordingFacet, Window
from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.http.witness import observed
from fedcloud_agent.recording import configured
from fedcloud_agent.recording.archive import FORMAT, ArchiveWriter
from fedcloud_agent.recording.instants import written
from fedcloud_agent.recording.pseudonyms import Pseudonyms
from fedcloud_agent.recording.reading import Progress, Reading, read, where
from fedcloud_agent.recording.recorder import Recorder
from fedcloud_agent.recording.veil import Veil


@dataclass(frozen=True)
class Wish:
    """What a recording has to hold: machines that ended since an instant (None: ever), and all the living."""

    since: Optional[int]
    limit: Optional[int] = None
    shift_time: bool = False


@dataclass(frozen=True)
class Recorded:
    """What was recorded."""

    exchanges: int
    reading: Reading


def harmless_of(cloud: Cloud) -> Harmless:
    """Return what the plugin of a cloud declares harmless. Raises ConfigurationError when it declares nothing."""
    if not isinstance(cloud, RecordingFacet):
        raise ConfigurationError(
            f"the plugin for clouds of type {cloud.cloud_type} does not say what of its answers is harmless, "
            "so nothing can be recorded",
            hint="'fedcloud-agent clouds' shows what each plugin serves",
        )
    return cloud.harmless()


def record(
    cloud: Cloud, type_: str, table: Type[Any], path: Path, wish: Wish, now: int, progress: Progress
) -> Recorded:
    """Read ``cloud`` and leave what it answered, anonymised, in the new file ``path``.

    An error of the cloud is part of the recording. Raises CannotCreateError and StorageError; then no file is left,
    nor is one when this is interrupted.
    """
    shift = -7 * DAY * (1 + secrets.randbelow(500)) if wish.shift_time else 0
    veil = Veil(Pseudonyms(), harmless_of(cloud), shift)
    archive = ArchiveWriter(path)
    try:
        recorder = Recorder(archive, veil)
        with observed(recorder):
            reading = read(cloud, Window(True, wish.since), wish.limit, progress)
        manifest = {
            "format": FORMAT,
            "agent": __version__,
            "python": platform.python_version(),
            "type": type_,
            "made": written(now + shift),
            "since": None if wish.since is None else written(wish.since + shift),
            "limit": wish.limit,
            "times": "moved by a constant that is not told" if wish.shift_time else "as they were",
            **recorder.summary(),
            **_outcome(reading, veil),
            "settings": configured.hidden(table, configured.written(table, cloud.settings), veil),
            "files": configured.files(table, cloud.settings, veil),
            "kept": _kept(veil),
        }
        archive.finish(manifest)
    except BaseException:
        archive.discard()
        raise
    return Recorded(recorder.count, reading)


def _outcome(reading: Reading, veil: Veil) -> Dict[str, Any]:
    return {
        "machines": reading.machines,
        "by_status": reading.by_status,
        "unreadable": reading.unreadable,
        "problems": reading.problems,
        "whole": not (reading.errors or reading.stopped),
        "errors": [_error(error, veil) for error in reading.errors],
    }


def _error(error: Exception, veil: Veil) -> Dict[str, Optional[str]]:
    return {"type": type(error).__name__, "said": veil.prose(str(error)), "where": where(error)}


def _kept(veil: Veil) -> Dict[str, List[str]]:
    """Return under which names values were kept; those that a site chose do not stand there as they are."""
    rules = veil.harmless
    named = {"numbers": rules.numbers, "instants": rules.instants, "states": rules.states, "prose": rules.prose}
    return {kind: sorted(map(veil.name, names)) for kind, names in named.items()}
