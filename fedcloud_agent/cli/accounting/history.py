"""Before the first record of a cloud is made: are the settings those that go on with a former tool's history?"""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

import click

from fedcloud_agent.accounting.former import CLOUD, Difference, Former, differences, formers
from fedcloud_agent.accounting.making import streams
from fedcloud_agent.accounting.settings import CONTINUE, AccountingSettings
from fedcloud_agent.accounting.traces import ROOT
from fedcloud_agent.clouds.contract import Cloud
from fedcloud_agent.config.configuration import CloudEntry, Configuration
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.site.settings import SiteSettings
from fedcloud_agent.store.engine import Store


def check_history(
    configuration: Configuration, entry: CloudEntry, cloud: Cloud, store: Store, root: Path = ROOT
) -> None:
    """Hold the settings of a cloud against those of former tools on this machine, as long as no stream has begun.

    What only begins a graph anew is told. Raises ConfigurationError where every machine would count twice. With several
    clouds of a kind nobody can say which of them the tool reported, so nothing is said.
    """
    settings = configuration.room(AccountingSettings)
    if settings.first_run is None or not settings.destinations:
        return
    with store.read() as connection:
        if streams(connection, entry.name):
            return
    if sum(other.type == entry.type for other in configuration.clouds.values()) > 1:
        return
    for former in formers(root):
        if former.cloud_type != cloud.cloud_type:
            continue
        told = differences(former, lambda key: _configured(configuration, entry, cloud, key))
        if settings.first_run.policy == CONTINUE:
            _refuse(entry.name, former, told)
        for one in _choice(former, settings.first_run.policy) + told:
            click.echo(
                f"fedcloud-agent: cloud {entry.name}: {one.key.replace('NAME', entry.name)} is {one.ours}; to go on "
                f"with the history of {former.tool} ({former.path}) it were {one.theirs}",
                err=True,
            )


def _refuse(name: str, former: Former, told: List[Difference]) -> None:
    if former.first_run != CONTINUE:
        raise ConfigurationError(
            f"cloud {name}: first_run is 'continue', but {former.tool}, which is configured here ({former.path}), gave "
            "every machine a new VMUUID at each run: all that they ever used would count once more",
            hint="stop it, and set accounting.first_run to {baseline: DATE}, the day until which it reported; "
            f"if it never reported this cloud, remove {former.path}",
        )
    others = [one for one in told if one.names]
    if others:
        lines = "\n".join(f"  {one.key.replace('NAME', name)}: {one.theirs}   (is {one.ours})" for one in others)
        raise ConfigurationError(
            f"cloud {name}: first_run is 'continue', but machines would not have the VMUUIDs that {former.tool} "
            f"({former.path}) gave them: all that they ever used would count once more",
            hint=f"set\n{lines}\n  or, if it never reported this cloud, remove {former.path}",
        )


def _choice(former: Former, policy: str) -> List[Difference]:
    if policy == former.first_run:
        return []
    theirs = former.first_run if former.first_run == CONTINUE else "{baseline: DATE}"
    return [Difference("accounting.first_run", policy, theirs, False)]


def _configured(configuration: Configuration, entry: CloudEntry, cloud: Cloud, key: str) -> Optional[object]:
    if key == "site":
        return configuration.room(SiteSettings).name
    if not key.startswith(CLOUD):
        return getattr(configuration.room(AccountingSettings), key.partition(".")[2], None)
    name = key[len(CLOUD) :]
    found = getattr(entry.settings, name, None)
    if found is None and name == "service":
        return cloud.host
    if found is None and name == "uuid_endpoint":
        return getattr(entry.settings, "endpoint", None)
    return found
