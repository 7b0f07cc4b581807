"""What the site says of a StratusLab cloud."""

from __future__ import annotations

from dataclasses import dataclass

from fedcloud_plugins.opennebula.settings import OpenNebulaSettings


@dataclass(frozen=True)
class StratusLabSettings(OpenNebulaSettings):
    """A StratusLab cloud (up to 13.05, which speaks as OpenNebula 3.2)."""
