"""What the clouds offer, asked for or read from a file, and the site that it makes."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, List, Optional, Sequence, Tuple, Union

import click

from fedcloud_agent.errors import AgentError, UsageError

if TYPE_CHECKING:
    from fedcloud_agent.clouds.offer_file import NamedOffer
    from fedcloud_agent.config.configuration import CloudEntry, Configuration
    from fedcloud_agent.infosys.gathering import Seen
    from fedcloud_agent.infosys.model import AgentState, SiteOffer


@dataclass(frozen=True)
class Asked:
    """What the clouds told, and the first that failed."""

    offers: Tuple[NamedOffer, ...]
    failure: Optional[AgentError]

    def site(self, configuration: Configuration, now: int) -> SiteOffer:
        """Return the site that these offers make. Raises ConfigurationError."""
        from fedcloud_agent import __version__
        from fedcloud_agent.infosys.downtimes import downtimes_of
        from fedcloud_agent.infosys.gathering import Seen
        from fedcloud_agent.infosys.model import AgentState
        from fedcloud_agent.infosys.settings import InfosysSettings

        settings = configuration.room(InfosysSettings)
        seen = [
            Seen(one.name, one.host, one.cloud_type, one.offer, downtimes=downtimes_of(settings, one.name))
            for one in self.offers
        ]
        return site_of(configuration, seen, now, AgentState(__version__))


def site_of(configuration: Configuration, clouds: Sequence[Seen], now: int, agent: AgentState) -> SiteOffer:
    """Return the site that these clouds make by the configuration. Raises ConfigurationError."""
    from fedcloud_agent.infosys.gathering import check_names, gather
    from fedcloud_agent.infosys.settings import InfosysSettings
    from fedcloud_agent.site.settings import SiteSettings

    settings = configuration.room(InfosysSettings)
    check_names(settings, {*configuration.clouds, *configuration.disabled, *(one.name for one in clouds)})
    name, host = configuration.room(SiteSettings).name, settings.host or socket.getfqdn()
    return gather(name, host, settings, clouds, now, agent=agent)


def ask(configuration: Configuration, clouds: Sequence[str], file: Optional[str]) -> Asked:
    """Return what the chosen clouds tell, or what a file says that they told.

    A cloud that fails is named on standard error and does not keep the others from being asked. Raises what a file or
    the configuration have to say.
    """
    if file is not None:
        from fedcloud_agent.clouds.offer_file import read

        found = read(Path(file))
        unknown = [name for name in clouds if name not in [one.name for one in found]]
        if unknown:
            raise UsageError(f"{file} holds no cloud {unknown[0]!r}", hint=f"it holds {_names(found)}")
        return Asked(tuple(one for one in found if not clouds or one.name in clouds), None)
    offers: List[NamedOffer] = []
    failure: Optional[AgentError] = None
    for answer in _answers(configuration, clouds):
        if isinstance(answer, AgentError):
            failure = failure or answer
        else:
            offers.append(answer)
    if failure is not None and not offers:
        failure.reported = True
        raise failure
    return Asked(tuple(offers), failure)


def _answers(configuration: Configuration, clouds: Sequence[str]) -> Iterator[Union[NamedOffer, AgentError]]:
    from fedcloud_agent.cli.opening import chosen_clouds

    for entry in chosen_clouds(configuration, list(clouds)):
        try:
            yield offer_of(entry)
        except AgentError as error:
            click.echo(f"fedcloud-agent: cloud {entry.name}: {error.message}", err=True)
            if error.hint:
                click.echo(f"  {error.hint}", err=True)
            yield error


def offer_of(entry: CloudEntry) -> NamedOffer:
    """Return what one cloud tells; its problems are named on standard error. Raises what the cloud raises."""
    from fedcloud_agent.cli.opening import cloud_of
    from fedcloud_agent.clouds.contract import DescribeFacet
    from fedcloud_agent.clouds.offer_file import NamedOffer
    from fedcloud_agent.infosys.words import text

    with cloud_of(entry, DescribeFacet) as cloud:
        assert isinstance(cloud, DescribeFacet)
        told = NamedOffer(entry.name, cloud.host, cloud.cloud_type, cloud.describe())
    for problem in told.offer.problems:
        # what the cloud calls it may be anything
        click.echo(f"fedcloud-agent: cloud {entry.name}: {text(f'{problem.subject}: {problem.reason}')}", err=True)
    return told


def _names(offers: Sequence[NamedOffer]) -> str:
    return ", ".join(one.name for one in offers) or "none"
