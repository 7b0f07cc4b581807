"""What the daemon writes down of itself: for ``status``, and for the daemon that comes after it.

``daemon.json`` in the state directory, replaced whole. It is written before a run starts, so that after a crash its
successor knows which runs to look for.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from fedcloud_agent import durable
from fedcloud_agent.daemon.marked import birth
from fedcloud_agent.errors import StorageError


@dataclass(frozen=True)
class Planned:
    """A loop that the daemon knows, and its next turn."""

    loop: str
    cloud: Optional[str]
    when: str
    next: Optional[int]


@dataclass(frozen=True)
class InProgress:
    """A run that was started and is not known to have ended."""

    run: str
    loop: str
    cloud: Optional[str]
    started: int
    deadline: int
    """The instant at which it is ended."""


@dataclass(frozen=True)
class DaemonState:
    """The daemon as it last wrote itself down."""

    pid: int
    birth: Optional[int]
    started: int
    written: int
    stopped: Optional[int] = None
    """When it ended in good order."""
    loaded: int = 0
    """When the configuration in use was read."""
    fault: Optional[str] = None
    """Why a newer configuration is not in use."""
    faults: Tuple[str, ...] = ()
    """What of the configuration in use is left out."""
    loops: Tuple[Planned, ...] = ()
    running: Tuple[InProgress, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return self.stopped is None and self.birth is not None and birth(self.pid) == self.birth


def path_of(state: Path) -> Path:
    """Return where the daemon's own file lies."""
    return state / "daemon.json"


def snapshot_of(state: Path) -> Path:
    """Return where the accepted configuration lies, from which runs are started."""
    return state / "accepted.json"


def lock_of(state: Path) -> Path:
    """Return the lock that keeps two daemons apart."""
    return state / "locks" / "daemon.lock"


def write(state: Path, content: DaemonState) -> None:
    """Replace the daemon's own file."""
    durable.write_whole(path_of(state), json.dumps(asdict(content), indent=1).encode() + b"\n")


def read(state: Path) -> Optional[DaemonState]:
    """Return what the daemon last wrote, or None if none ever ran. Raises StorageError when it is damaged."""
    path = path_of(state)
    try:
        values = json.loads(path.read_bytes())
        return DaemonState(
            pid=int(values["pid"]),
            birth=_instant(values, "birth"),
            started=int(values["started"]),
            written=int(values["written"]),
            stopped=_instant(values, "stopped"),
            loaded=int(values["loaded"]),
            fault=None if values["fault"] is None else str(values["fault"]),
            faults=tuple(str(fault) for fault in values["faults"]),
            loops=tuple(
                Planned(str(v["loop"]), _name(v), str(v["when"]), _instant(v, "next")) for v in values["loops"]
            ),
            running=tuple(
                InProgress(str(v["run"]), str(v["loop"]), _name(v), int(v["started"]), int(v["deadline"]))
                for v in values["running"]
            ),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path} is damaged: {type(error).__name__}: {error}", hint="the daemon replaces it when it starts"
        ) from error


def _instant(values: Dict[str, Any], name: str) -> Optional[int]:
    return None if values[name] is None else int(values[name])


def _name(values: Dict[str, Any]) -> Optional[str]:
    return None if values["cloud"] is None else str(values["cloud"])
