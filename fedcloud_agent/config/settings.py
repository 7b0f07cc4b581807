"""Where the agent keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fedcloud_agent.settings import AbsolutePath, setting


@dataclass(frozen=True)
class DirectoriesSettings:
    """Where the agent keeps what it makes. The packages create these directories; change them with care."""

    state: Path = setting(
        AbsolutePath(),
        help="What must survive: the database, locks, the accepted configuration, the outcome of each loop.",
        default=Path("/var/lib/fedcloud-agent"),
    )
    spool: Path = setting(
        AbsolutePath(), help="What leaves as files for other programs.", default=Path("/var/spool/fedcloud-agent")
    )
    runtime: Path = setting(
        AbsolutePath(),
        help="Sockets and whatever may vanish with a restart of the machine.",
        default=Path("/run/fedcloud-agent"),
    )
