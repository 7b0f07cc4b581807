"""The StratusLab cloud of the contract: OpenNebula as it was in release 3.2, which cannot be asked for its version.

Its machines are made from appliances of the Marketplace: the source of the first disk is the URL of the appliance's
metadata, which becomes the ImageId. Its users are known by subjects from which the spaces are gone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Optional

from fedcloud_plugins.opennebula.plugin import OpenNebula
from fedcloud_plugins.stratuslab.settings import StratusLabSettings

if TYPE_CHECKING:
    from fedcloud_agent.clouds.offer import CloudOffer
    from fedcloud_plugins.opennebula.dialect import Version


class StratusLab(OpenNebula):
    """A cloud of StratusLab up to 13.05."""

    cloud_type: ClassVar[str] = "StratusLab"
    version: ClassVar[Optional[Version]] = (3, 2, 0)
    settings: StratusLabSettings

    def describe(self) -> CloudOffer:
        """Return what the cloud offers, its images by the names that the Marketplace has for them."""
        from fedcloud_plugins.stratuslab.marketplace import with_marketplace

        offer = super().describe()
        return replace(offer, images=with_marketplace(offer.images, self.settings.appliances))
