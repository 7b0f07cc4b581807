"""``serving.json``: what stands on the port right now, for those who write to it, and for the next start."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from fedcloud_agent import durable
from fedcloud_agent.errors import StorageError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Serving:
    """A slapd that was started, and answered."""

    pid: int
    ldapi: str
    port: int
    directory: str
    """The name of its side: ``a`` or ``b``."""
    load: str
    """The load that its tree came from; what was changed since is the publisher's business."""
    started: int
    boot: str
    """The boot of the machine in which its databases were last written."""


def path_of(state: Path) -> Path:
    """Return where it lies, below the state directory."""
    return state / "infosys" / "serving.json"


def write(path: Path, serving: Serving) -> None:
    """Replace the file."""
    durable.write_whole(path, json.dumps(asdict(serving)).encode() + b"\n")


def read(path: Path) -> Optional[Serving]:
    """Return what was last served, or None if nothing ever was. Raises StorageError when the file is damaged."""
    try:
        values = json.loads(path.read_bytes())
        return Serving(
            pid=int(values["pid"]),
            ldapi=str(values["ldapi"]),
            port=int(values["port"]),
            directory=str(values["directory"]),
            load=str(values["load"]),
            started=int(values["started"]),
            boot=str(values["boot"]),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{path} is damaged: {type(error).__name__}: {error}", hint="'fedcloud-agent infosys serve' replaces it"
        ) from error


def boot_id() -> str:
    """Return what is the same until the machine starts anew; where the kernel does not tell, never twice the same."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        # then every start loads the tree, which costs a moment and is always right
        return f"unknown-{os.urandom(8).hex()}"
