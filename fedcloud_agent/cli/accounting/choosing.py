"""Which destinations a command is about."""

from __future__ import annotations

from typing import Dict, Iterable, List, Sequence

from fedcloud_agent.accounting.destinations import limits_of
from fedcloud_agent.accounting.packing import TIDIED
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.errors import ConfigurationError, UsageError


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


def chosen_tidying(
    settings: AccountingSettings, names: Iterable[str], chosen: Sequence[str], lacking: str
) -> Dict[str, int]:
    """Return how long each destination's repository tidies: of those chosen, or of all of ``names``.

    One that is not configured tidies as is usual. Raises UsageError for a choice that is not among the names, saying
    behind a comma what it is ``lacking`` besides the configuration.
    """
    known = {
        name: limits_of(settings, settings.destinations[name]).tidied if name in settings.destinations else TIDIED
        for name in names
    }
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"no destination is called {name!r}, and {lacking}", hint=f"there are: {', '.join(known) or 'none'}"
            )
    return {name: tidied for name, tidied in known.items() if not chosen or name in chosen}
