"""Which destinations a command is about."""

from __future__ import annotations

from typing import List, Sequence

from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.errors import ConfigurationError


def chosen_destinations(settings: AccountingSettings, chosen: Sequence[str]) -> List[str]:
    """Return the names of the chosen destinations, or of all. Raises ConfigurationError for one that is not there."""
    for name in chosen:
        if name not in settings.destinations:
            raise ConfigurationError(
                f"no destination is configured under the name {name!r}",
                hint=f"configured: {', '.join(settings.destinations) or 'none'}",
            )
    if not settings.destinations:
        raise ConfigurationError(
            "no destination is configured, so no record can leave",
            hint="describe one below 'accounting.destinations:' in agent.yaml",
        )
    return list(chosen) or list(settings.destinations)
