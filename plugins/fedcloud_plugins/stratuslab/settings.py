"""What the site says of a StratusLab cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from fedcloud_agent.settings import ListOf, Url, setting
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings


@dataclass(frozen=True)
class StratusLabSettings(OpenNebulaSettings):
    """A StratusLab cloud (up to 13.05, which speaks as OpenNebula 3.2)."""

    appliances: Tuple[str, ...] = setting(
        ListOf(Url("https", "http")),
        help="The Marketplace's metadata of the appliances that people may start here, beside those that templates "
        "are made of; the policy for them stands outside of OpenNebula.",
        default=(),
        example=["https://marketplace.stratuslab.eu/metadata/ID/ENDORSER/TIME"],
    )
