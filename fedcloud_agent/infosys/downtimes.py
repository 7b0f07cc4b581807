"""The downtimes that the site announced, as readers are to see them. Pure."""

from __future__ import annotations

from typing import Tuple

from fedcloud_agent.clock import DAY
from fedcloud_agent.infosys.model import Downtime
from fedcloud_agent.infosys.settings import InfosysSettings


def downtimes_of(settings: InfosysSettings, cloud: str) -> Tuple[Downtime, ...]:
    """Return the announced downtimes of a cloud."""
    return tuple(
        Downtime(one.start - DAY if one.announced is None else one.announced, one.start, one.end, one.info, one.outage)
        for one in settings.downtimes.values()
        if not one.clouds or cloud in one.clouds
    )
