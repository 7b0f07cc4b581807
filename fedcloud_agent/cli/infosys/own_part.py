"""What ``infosys serve`` reads of the configuration: its own part, so that it starts soon and whatever others say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from fedcloud_agent.cli.context import ROOMS
from fedcloud_agent.config.loading import load
from fedcloud_agent.config.settings import DirectoriesSettings
from fedcloud_agent.config.tables import Room
from fedcloud_agent.infosys.settings import InfosysSettings
from fedcloud_agent.settings import Sections, Text
from fedcloud_agent.site.settings import SiteSettings


@dataclass(frozen=True)
class Own:
    """Where the state is, and what the information system was told."""

    state: Path
    infosys: InfosysSettings


def read(source: Path) -> Own:
    """Read the configuration in a directory or snapshot. Raises ConfigurationError for faults of our own part."""
    # a cloud's fault must not keep readers from the tree, and to judge it would load every plugin
    rooms: Dict[str, Room] = {key: Sections(None, dict, help="", key=Text()) for key in ROOMS}
    rooms.update(site=SiteSettings, infosys=InfosysSettings, directories=DirectoriesSettings)
    configuration = load(source, rooms)
    return Own(configuration.room(DirectoriesSettings).state, configuration.room(InfosysSettings))
