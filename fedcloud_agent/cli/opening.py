"""How commands get at what they work on: the store, a cloud, a destination."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Iterator, List, Optional

from fedcloud_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from fedcloud_agent.clouds.contract import Cloud
    from fedcloud_agent.config.configuration import CloudEntry, Configuration
    from fedcloud_agent.store.engine import Store


def state_of(configuration: Configuration) -> Path:
    """Return the state directory."""
    from fedcloud_agent.config.settings import DirectoriesSettings

    return configuration.room(DirectoriesSettings).state


@contextlib.contextmanager
def store_of(configuration: Configuration) -> Iterator[Store]:
    """Open the agent's database for as long as a command uses it, holding off migrations."""
    from fedcloud_agent.store.opening import in_use, open_store
    from fedcloud_agent.store.settings import StoreSettings

    settings, state = configuration.room(StoreSettings), state_of(configuration)
    with in_use(open_store(state, settings.url, settings.busy_timeout), state) as store:
        yield store


def chosen_clouds(configuration: Configuration, names: List[str]) -> List[CloudEntry]:
    """Return the named clouds, or all that are configured and good. Raises ConfigurationError when there is none."""
    if names:
        return [configuration.cloud(name) for name in names]
    clouds = list(configuration.clouds.values())
    if not clouds:
        raise ConfigurationError(
            "no cloud is configured" if not configuration.disabled else "every configured cloud is disabled",
            hint="describe one below 'clouds:' in agent.yaml, then run 'fedcloud-agent config check'",
        )
    return clouds


@contextlib.contextmanager
def cloud_of(entry: CloudEntry, facet: Optional[type] = None) -> Iterator[Cloud]:
    """Open a cloud through its plugin. Raises ConfigurationError when the plugin does not serve ``facet``."""
    from fedcloud_agent.clouds.loading import open_cloud

    cloud = open_cloud(entry.type, entry.name, entry.settings)
    try:
        if facet is not None and not isinstance(cloud, facet):
            raise ConfigurationError(
                f"the plugin for clouds of type {entry.type} does not serve {facet.__name__}",
                hint="'fedcloud-agent clouds' shows what each plugin serves",
            )
        yield cloud
    finally:
        cloud.close()
