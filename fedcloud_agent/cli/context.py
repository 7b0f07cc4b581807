"""What every command is handed: the configuration, read once, and how much to say."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Type, Union

import click

# dataclasses and pathlib are left out here: they would be a third of what --help costs
if TYPE_CHECKING:
    from pathlib import Path

    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.config.tables import Room

# Every key of the top level and the table that says what stands below it; imported when a configuration is read.
ROOMS: Dict[str, str] = {
    "site": "fedcloud_agent.site.settings:SiteSettings",
    "clouds": "fedcloud_agent.cli.context:clouds_room",
    "accounting": "fedcloud_agent.accounting.settings:AccountingSettings",
    "infosys": "fedcloud_agent.infosys.settings:InfosysSettings",
    "users": "fedcloud_agent.users.settings:UsersSettings",
    "store": "fedcloud_agent.store.settings:StoreSettings",
    "directories": "fedcloud_agent.config.settings:DirectoriesSettings",
    "daemon": "fedcloud_agent.daemon.settings:DaemonSettings",
}


def _cloud_tables() -> Mapping[str, Union[Type[Any], str]]:
    from fedcloud_agent.clouds.loading import settings_tables

    tables, faults = settings_tables()
    # entry points come in the order of the file system; what is generated from them must not
    return {type_: tables.get(type_, faults.get(type_, "")) for type_ in sorted({*faults, *tables})}


def clouds_room() -> Room:
    """Return what stands below ``clouds``: the plugins' own tables."""
    from fedcloud_agent.settings import Sections, Text

    return Sections(
        None,
        _cloud_tables,
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


class Context:
    """The global options of one call, and the configuration that they lead to."""

    def __init__(self, source: Optional[str], verbose: int) -> None:
        self.verbose = verbose
        self._source = source
        self._configuration: Optional[Configuration] = None

    @property
    def directory(self) -> Path:
        """The directory that the configuration is read from, or a snapshot file."""
        from pathlib import Path

        from fedcloud_agent.config.loading import DEFAULT_DIRECTORY

        return Path(self._source) if self._source else DEFAULT_DIRECTORY

    @property
    def configuration(self) -> Configuration:
        """The configuration, read at the first use; what is disabled is then said once on standard error.

        Raises ConfigurationError.
        """
        if self._configuration is None:
            self._configuration = self.load()
            for name, faults in self._configuration.disabled.items():
                for fault in faults:
                    click.echo(f"fedcloud-agent: the cloud {name!r} is disabled: {fault}", err=True)
        return self._configuration

    def load(self) -> Configuration:
        """Read the configuration anew, as a reload does; says nothing. Raises ConfigurationError."""
        from fedcloud_agent.config.loading import load

        return load(self.directory, rooms())
