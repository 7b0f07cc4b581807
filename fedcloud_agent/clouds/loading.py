"""Plugins are found by entry point; a broken one is kept with its reason and never stops the others."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type

from fedcloud_agent.clouds.contract import Cloud, facets_of
from fedcloud_agent.errors import ConfigurationError

PLUGINS = "fedcloud_agent.clouds"
SETTINGS = "fedcloud_agent.clouds.settings"


@dataclass(frozen=True)
class Plugin:
    """A type of cloud that some installed distribution brings. ``fault`` is why it cannot be used, or None."""

    type: str
    distribution: str
    facets: Tuple[str, ...]
    fault: Optional[str]


def _entry_points(group: str) -> Iterator[metadata.EntryPoint]:
    if sys.version_info >= (3, 10):
        yield from metadata.entry_points(group=group)
    else:
        yield from metadata.entry_points().get(group, ())


def _distribution(point: metadata.EntryPoint) -> str:
    found: Any = getattr(point, "dist", None)
    if found is None:  # Python 3.9 does not keep it
        found = next((one for one in metadata.distributions() if point in one.entry_points), None)
    return "unknown" if found is None else str(found.metadata["Name"])


def _load(point: metadata.EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:  # noqa: BLE001 -- a plugin is someone else's code: whatever it raises is its fault
        return f"{type(error).__name__}: {error}"


def settings_tables() -> Tuple[Dict[str, Type[Any]], Dict[str, str]]:
    """Return the settings table of each type of cloud, and why those that cannot be loaded cannot.

    Imports the plugins' settings modules only, no plugin.
    """
    tables: Dict[str, Type[Any]] = {}
    faults: Dict[str, str] = {}
    for point in _entry_points(SETTINGS):
        loaded = _load(point)
        if isinstance(loaded, type):
            tables[point.name] = loaded
        else:
            faults[point.name] = str(loaded)
    return tables, faults


def plugins() -> List[Plugin]:
    """Return every plugin, sorted by type, loaded to learn its facets."""
    found = {}
    _, settings_faults = settings_tables()
    for point in _entry_points(PLUGINS):
        loaded = _load(point)
        distribution = _distribution(point)
        if isinstance(loaded, type) and issubclass(loaded, Cloud):
            found[point.name] = Plugin(point.name, distribution, facets_of(loaded), settings_faults.get(point.name))
        else:
            fault = (
                loaded if isinstance(loaded, str) else f"{point.value} is not a fedcloud_agent.clouds.contract.Cloud"
            )
            found[point.name] = Plugin(point.name, distribution, (), fault)
    return [found[name] for name in sorted(found)]


def open_cloud(type_: str, name: str, settings: Any) -> Cloud:
    """Return the configured cloud ``name``. Raises ConfigurationError when its plugin is missing or broken."""
    for point in _entry_points(PLUGINS):
        if point.name == type_:
            loaded = _load(point)
            if isinstance(loaded, type) and issubclass(loaded, Cloud):
                return loaded(name, settings)
            raise ConfigurationError(
                f"the plugin for clouds of type {type_} cannot be loaded: {loaded}",
                hint="see 'fedcloud-agent clouds'; a missing module is usually a package that is not installed",
            )
    raise ConfigurationError(
        f"no plugin for clouds of type {type_} is installed", hint="'fedcloud-agent clouds' lists those that are"
    )
