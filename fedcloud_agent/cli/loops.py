"""Which commands the daemon runs, and when: the one table that a new loop has to enter."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional, Tuple

from fedcloud_agent.daemon.loops import Loaded, Loop
from fedcloud_agent.daemon.settings import DaemonSettings
from fedcloud_agent.settings import When

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration


@dataclass(frozen=True)
class Command:
    """A command that is due again and again, once for the site or once for each cloud."""

    loop: str
    words: Tuple[str, ...]
    per_cloud: bool
    room: str
    schedule: str
    """The room's key that says when."""
    needs: str
    """The room's key without which there is nothing to do."""
    also: Tuple[When, ...] = ()
    """When else it is due, whatever the site says."""
    deadline: Optional[str] = None
    """The room's key that says how long it may take; None: as the daemon's own settings say."""


COMMANDS = (
    # five minutes into a month the last one is complete: its sums should not wait for the hour
    Command(
        "accounting",
        ("accounting", "run"),
        per_cloud=True,
        room="accounting",
        schedule="schedule",
        needs="destinations",
        also=(When(crontab="5 0 1 * *"),),
        deadline="deadline",
    ),
    Command(
        "accounting-send",
        ("accounting", "send"),
        per_cloud=False,
        room="accounting",
        schedule="send_schedule",
        needs="destinations",
        deadline="deadline",
    ),
    Command("infosys", ("infosys", "publish"), per_cloud=False, room="infosys", schedule="schedule", needs="contact"),
    Command(
        "users",
        ("users", "apply"),
        per_cloud=True,
        room="users",
        schedule="schedule",
        needs="facilities",
        deadline="deadline",
    ),
)


def loaded(configuration: Configuration, snapshot: Path) -> Loaded:
    """Return what the daemon is to run; the commands read the configuration from the file ``snapshot``."""
    settings = configuration.room(DaemonSettings)
    base = (sys.executable, "-m", "fedcloud_agent", "--config", str(snapshot))
    loops: List[Loop] = []
    for command in COMMANDS:
        room = configuration.values[command.room]
        if not getattr(room, command.needs):
            continue
        when = (getattr(room, command.schedule), *command.also)
        deadline = getattr(room, command.deadline) if command.deadline else settings.deadline
        for cloud in configuration.clouds if command.per_cloud else (None,):
            words = command.words if cloud is None else (*command.words, "--cloud", cloud)
            loops.append(Loop(command.loop, cloud, when, deadline, (*base, *words)))
    faults = tuple(
        f"the cloud {cloud!r} is disabled: {fault}" for cloud, some in configuration.disabled.items() for fault in some
    )
    return Loaded(tuple(loops), configuration.snapshot(), faults, settings)
