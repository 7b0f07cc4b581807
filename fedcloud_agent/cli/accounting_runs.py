"""How the accounting commands run: one cloud extracted, one destination served, and what they say of it."""

from __future__ import annotations

import contextlib
import gc
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import click

from fedcloud_agent import clock
from fedcloud_agent.accounting.delivery import Delivered, deliver
from fedcloud_agent.accounting.destinations import FileTransport, limits_of, preferred_peers
from fedcloud_agent.accounting.extraction import Extracted, extract
from fedcloud_agent.accounting.making import streams
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.accounting.traces import first_run_is_open
from fedcloud_agent.cli.opening import cloud_of, state_of, store_of
from fedcloud_agent.cli.progress import progress
from fedcloud_agent.cli.running import run_of
from fedcloud_agent.clouds.contract import Cloud, UsageFacet
from fedcloud_agent.config.configuration import CloudEntry, Configuration
from fedcloud_agent.durable import make_directory
from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, UsageError
from fedcloud_agent.locks import LockedError, held
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.opening import open_transport
from fedcloud_agent.outbox.transport import Transport
from fedcloud_agent.site.settings import SiteSettings
from fedcloud_agent.store.engine import Store

LOOP = "accounting"
SEND_LOOP = "accounting-send"
_COLLECTED_AFTER = 10_000
"""So many new objects make the garbage collector look, instead of 700."""


@dataclass
class Report:
    """What a command did, for people and for programs; the first error decides the exit code."""

    clouds: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    destinations: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    errors: List[AgentError] = field(default_factory=list)

    def as_json(self) -> Dict[str, Any]:
        """Return the report as one document."""
        errors = [{"exit_code": e.exit_code, "message": e.message, "hint": e.hint} for e in self.errors]
        return {"clouds": self.clouds, "destinations": self.destinations, "errors": errors}


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
            done = _extract(configuration, entry, store, accept_vanished)
            _note(entry.name, done, report)
            told.tell(sentence_of(done), **_figures(done))
            if done.failures:
                raise done.failures[0]
    except AgentError as error:
        report.errors.append(error)


def send_run(configuration: Configuration, chosen: Sequence[str], report: Report) -> None:
    """Send what waits for the chosen destinations (all, if none is named) as a run of its loop."""
    try:
        with run_of(state_of(configuration), SEND_LOOP) as told, store_of(configuration) as store:
            errors = _send(configuration, store, chosen, None, report)
            with store.read() as connection:
                waiting = {one.destination: one.messages for one in queue.backlog(connection) if one.messages}
            configured = configuration.room(AccountingSettings).destinations
            backlog = sum(count for name, count in waiting.items() if name in configured)
            sent = sum(one["messages"] for one in report.destinations.values())
            refused = sum(len(one["refused"]) for one in report.destinations.values())
            words = f"{_count(sent, 'message')} acknowledged, {_count(backlog, 'message')} waiting"
            words += f", {refused} refused" if refused else ""
            for name, count in sorted(waiting.items()):
                if name not in configured:
                    words += f", {_count(count, 'message')} kept for {name}, which is not configured"
            told.tell(words, sent=sent, backlog=backlog, refused=refused)
            if errors:
                raise errors[0]
    except LockedError as error:
        if report.clouds:
            click.echo("sending is left to the run that is under way", err=True)
        else:
            report.errors.append(error)
    except AgentError as error:
        report.errors.append(error)


def dry_run(
    configuration: Configuration, entries: Sequence[CloudEntry], accept_vanished: bool, file: Path, report: Report
) -> None:
    """Go the whole way on a copy of the ledger; what would leave ends in a file."""
    with store_of(configuration) as store, _trial_of(store, state_of(configuration)) as trial:
        for entry in entries:
            try:
                done = _extract(configuration, entry, trial, accept_vanished)
            except AgentError as error:
                report.errors.append(error)
                continue
            _note(entry.name, done, report)
            report.errors.extend(done.failures)
        report.errors.extend(_send(configuration, trial, (), FileTransport(file), report))
    messages = sum(one["messages"] for one in report.destinations.values())
    records = sum(one["records"] for one in report.destinations.values())
    click.echo(
        f"dry run: {_count(messages, 'message')} with {_count(records, 'record')} in {file}, none sent", err=True
    )


@contextlib.contextmanager
def _trial_of(store: Store, state: Path) -> Iterator[Store]:
    """Open a copy of the store, which is gone afterwards; what a killed dry run left goes with the next one."""
    from fedcloud_agent.store.copies import copy
    from fedcloud_agent.store.opening import open_store

    if store.path is None:
        raise UsageError("--dry-run works on a copy of the embedded database, and store.url names another one")
    scratch = state / "dry-run"
    with held(state / "locks" / "dry-run.lock", "a dry run"):
        shutil.rmtree(scratch, ignore_errors=True)
        make_directory(scratch)
        try:
            copy(store.path, scratch / store.path.name)
            with contextlib.closing(open_store(scratch)) as trial:
                yield trial
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _extract(configuration: Configuration, entry: CloudEntry, store: Store, accept_vanished: bool) -> Extracted:
    settings = configuration.room(AccountingSettings)
    with cloud_of(entry, UsageFacet) as cloud, progress(f"servers of {entry.name}") as bar:
        assert isinstance(cloud, UsageFacet)
        frame = frame_of(configuration, entry, cloud)
        # pages of JSON come and go without cycles: what was imported need not be walked through for each of them
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER)
        return extract(store, entry.name, cloud, frame, settings, clock.now, bar, accept_vanished)


def _send(
    configuration: Configuration,
    store: Store,
    chosen: Sequence[str],
    instead: Optional[Transport],
    report: Report,
) -> List[AgentError]:
    """Serve the chosen destinations one after the other; one that fails does not keep the others waiting."""
    settings = configuration.room(AccountingSettings)
    errors: List[AgentError] = []
    for name in chosen_destinations(settings, chosen):
        destination = settings.destinations[name]
        with store.read() as connection:
            silent = [cloud for cloud in configuration.clouds if name not in streams(connection, cloud)]
        if silent and settings.first_run is None:
            errors.append(first_run_is_open(silent[0]))
        done = Delivered()
        try:
            if instead is None and not destination.send:
                continue
            transport = instead or open_transport(destination)
            with progress(f"messages to {name}") as bar:
                deliver(
                    store,
                    name,
                    transport,
                    limits_of(settings, destination),
                    preferred_peers(destination),
                    clock.now,
                    lambda messages, bar=bar: bar(messages, None),  # type: ignore[misc]
                    done,
                )
        except AgentError as error:
            errors.append(error)
        if done.refused:
            errors.append(_set_aside(name, done.refused))
        report.destinations[name] = {
            "messages": done.messages,
            "records": done.records,
            "refused": done.refused,
            "split": done.split,
            "sent_again": done.sent_again,
        }
    return errors


def _set_aside(destination: str, refused: Sequence[str]) -> RefusedError:
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return RefusedError(
        f"destination {destination}: a message was refused and set aside: {refused[0]}{more}",
        hint="'fedcloud-agent accounting show --rejected' names its records; the queue goes on without it",
    )


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


def sentence_of(done: Extracted) -> str:
    """Return what an extraction did, in words."""
    got = done.collected
    words = [
        f"{_count(got.new, 'new machine')}, {got.changed} changed, {got.unchanged} as before",
        f"{_count(done.records, 'record')} made",
    ]
    if done.rejected:
        words.append(f"{done.rejected} set aside")
    if got.unreadable:
        words.append(f"{got.unreadable} not readable")
    if got.vanished:
        words.append(f"{len(got.vanished)} vanished")
    if got.held:
        words.append(f"{sum(got.held.values())} vanished and held back")
    if done.first_run_open:
        words.append("no record made, since accounting.first_run is not set")
    return ", ".join(words)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _figures(done: Extracted) -> Dict[str, int]:
    got = done.collected
    return {
        "new": got.new,
        "changed": got.changed,
        "unchanged": got.unchanged,
        "unreadable": got.unreadable,
        "vanished": len(got.vanished),
        "held": sum(got.held.values()),
        "records": done.records,
        "rejected": done.rejected,
    }


def _note(cloud: str, done: Extracted, report: Report) -> None:
    """Keep what a cloud gave, and tell at once what a person has to hear."""
    problems = [f"{problem.subject}: {problem.reason}" for problem in done.problems]
    report.clouds[cloud] = {**_figures(done), "problems": problems, "first_run_open": done.first_run_open}
    for problem in problems:
        click.echo(f"fedcloud-agent: cloud {cloud}: {problem}", err=True)
    for failure in done.failures[1:]:
        click.echo(f"fedcloud-agent: cloud {cloud}: {failure.message}", err=True)
    if done.rejected:
        click.echo(
            f"fedcloud-agent: cloud {cloud}: {_count(done.rejected, 'record')} set aside; "
            "see 'fedcloud-agent accounting show --rejected'",
            err=True,
        )
