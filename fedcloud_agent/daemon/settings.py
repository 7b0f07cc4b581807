"""What can be set of the daemon itself."""

from __future__ import annotations

from dataclasses import dataclass

from fedcloud_agent.settings import Duration, Integer, setting


@dataclass(frozen=True)
class DaemonSettings:
    """How the daemon starts and ends the runs of all loops. When a loop runs is said in its own section."""

    deadline: int = setting(
        Duration(minimum=10, maximum=7 * 86400),
        help="How long a run may take; one that takes longer is ended, with whatever it started. Reading a large cloud "
        "for the first time takes longest.",
        default=4 * 3600,
    )
    stop_timeout: int = setting(
        Duration(minimum=1, maximum=3600),
        help="How long runs may take to end in good order when the daemon stops, or at their deadline, before they are "
        "killed. Keep it below TimeoutStopSec of the unit (90s unless changed).",
        default=60,
    )
    retry: int = setting(
        Duration(minimum=1, maximum=86400),
        help="How soon a run that found its loop busy (with a run that somebody typed, say) is tried again.",
        default=60,
    )
    parallel: int = setting(
        Integer(1, 64),
        help="How many runs may be in progress at once; others wait for their turn.",
        default=4,
    )
