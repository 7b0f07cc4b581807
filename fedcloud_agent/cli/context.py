"""What every command is handed: the configuration, read once, and how much to say."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Type, Union

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.config.tables import Room

# Every key of the top level and the table that says what stands below it; imported when a configuration is read.
ROOMS: Dict[str, str] = {
    "site": "fedcloud_agent.site.settings:SiteSettings",
    "clouds": "fedcloud_agent.cli.context:clouds_room",
    "store": "fedcloud_agent.store.settings:StoreSettings",
    "directories": "fedcloud_agent.config.settings:DirectoriesSettings",
    "daemon": "fedcloud_agent.daemon.settings:DaemonSettings",
}


def clouds_room() -> Room:
    """Return what stands below ``clouds``: the plugins' own tables."""
    from fedcloud_agent.clouds.loading import settings_tables
    from fedcloud_agent.settings import Sections, Text

    def variants() -> Mapping[str, Union[Type[Any], str]]:
        tables, faults = settings_tables()
        return {**faults, **tables}

    return Sections(
        None,
        variants,
        help="The clouds of this site, each under a name of its own that the agent's state is kept by.",
        key=Text("a name of letters, digits, dots, dashes and underscores", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        example="main",
    )


def rooms() -> Dict[str, Room]:
    """Import and return the table of each room."""
    found: Dict[str, Room] = {}
    for key, where in ROOMS.items():
        module, _, name = where.partition(":")
        room = getattr(importlib.import_module(module), name)
        found[key] = room if isinstance(room, type) else room()
    return found


@dataclass
class Context:
    """The global options of one call. ``source`` is the directory of the configuration, or a snapshot file."""

    directory: Optional[Path]
    verbose: int
    _configuration: Optional[Configuration] = field(default=None, init=False, repr=False)

    @property
    def source(self) -> Path:
        """The directory or snapshot that the configuration is read from."""
        return self.directory or Path("/etc/fedcloud-agent")

    @property
    def configuration(self) -> Configuration:
        """The configuration, read at the first use; what is disabled is then said once on standard error.

        Raises ConfigurationError.
        """
        if self._configuration is None:
            self._configuration = self.load()
            for name, faults in self._configuration.disabled.items():
                for fault in faults:
                    _say(f"fedcloud-agent: the cloud {name!r} is disabled: {fault}")
        return self._configuration

    def load(self) -> Configuration:
        """Read the configuration anew, as a reload does; says nothing. Raises ConfigurationError."""
        from fedcloud_agent.config.loading import load

        return load(self.source, rooms())


def _say(line: str) -> None:
    import click

    click.echo(line, err=True)
