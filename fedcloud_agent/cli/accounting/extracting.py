"""One cloud extracted: as a run of its loop, or into any store."""

from __future__ import annotations

import gc

from fedcloud_agent import clock
from fedcloud_agent.accounting.extraction import Extracted, extract
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.cli.accounting.report import Report
from fedcloud_agent.cli.accounting.words import figures_of, note, sentence_of
from fedcloud_agent.cli.opening import cloud_of, state_of, store_of
from fedcloud_agent.cli.progress import progress
from fedcloud_agent.cli.running import run_of
from fedcloud_agent.clouds.contract import Cloud, UsageFacet
from fedcloud_agent.config.configuration import CloudEntry, Configuration
from fedcloud_agent.errors import AgentError
from fedcloud_agent.site.settings import SiteSettings
from fedcloud_agent.store.engine import Store

LOOP = "accounting"
_COLLECTED_AFTER = 10_000
"""So many new objects make the garbage collector look, instead of 700."""


def frame_of(configuration: Configuration, entry: CloudEntry, cloud: Cloud) -> Frame:
    """Return what every record of a cloud has in common."""
    settings = configuration.room(AccountingSettings)
    return Frame(
        site=configuration.room(SiteSettings).name,
        service=entry.settings.service or cloud.host,
        cloud_type=f"fedcloud-agent/{_version()} ({cloud.cloud_type})",
        version=settings.record_version,
        fqan_style=settings.fqan_style,
        publish_users=settings.publish_users,
        benchmark_type=entry.settings.benchmark_type,
        benchmark=entry.settings.benchmark,
    )


def _version() -> str:
    from fedcloud_agent import __version__

    # the release would be a new CloudType with every update; its first two numbers say enough
    return ".".join(__version__.split(".")[:2])


def extract_run(configuration: Configuration, entry: CloudEntry, accept_vanished: bool, report: Report) -> None:
    """Extract from one cloud as a run of its loop: locked, timed, its outcome kept."""
    try:
        with run_of(state_of(configuration), LOOP, entry.name) as told, store_of(configuration) as store:
            done = extract_from(configuration, entry, store, accept_vanished)
            note(entry.name, done, report)
            told.tell(sentence_of(done), **figures_of(done))
            if done.failures:
                raise done.failures[0]
    except AgentError as error:
        report.errors.append(error)


def extract_from(configuration: Configuration, entry: CloudEntry, store: Store, accept_vanished: bool) -> Extracted:
    """Extract from one cloud into a store. Raises what opening the cloud and the store raise."""
    settings = configuration.room(AccountingSettings)
    with cloud_of(entry, UsageFacet) as cloud, progress(f"servers of {entry.name}") as bar:
        assert isinstance(cloud, UsageFacet)
        frame = frame_of(configuration, entry, cloud)
        # pages of JSON come and go without cycles: what was imported need not be walked through for each of them
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER)
        return extract(store, entry.name, cloud, frame, settings, clock.now, bar, accept_vanished)
