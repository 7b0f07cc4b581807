"""What the daemon is told: which commands to run, when, and on which configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Tuple

from fedcloud_agent import outcome
from fedcloud_agent.daemon.settings import DaemonSettings
from fedcloud_agent.settings import When


@dataclass(frozen=True)
class Loop:
    """A command that is run again and again."""

    name: str
    cloud: Optional[str]
    when: Tuple[When, ...]
    """It is due as soon as one of these says so."""
    deadline: int
    """Seconds that a run may take."""
    argv: Tuple[str, ...]
    """The whole command: what a person would type, on the accepted configuration."""

    @property
    def key(self) -> str:
        """The name of its files."""
        return outcome.key(self.name, self.cloud)

    @property
    def title(self) -> str:
        """What people call it."""
        return outcome.title(self.name, self.cloud)


@dataclass(frozen=True)
class Loaded:
    """A configuration that can be used."""

    loops: Tuple[Loop, ...]
    snapshot: bytes
    """The configuration in the form that children read."""
    faults: Tuple[str, ...] = ()
    """What is wrong with parts of it, which are therefore not used: one sentence for each."""
    settings: DaemonSettings = DaemonSettings()


Load = Callable[[], Loaded]
"""Reads the configuration anew; raises AgentError when it cannot be used at all."""
