"""How months are republished: what it comes to, the question, and the doing."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import List, NamedTuple, Sequence

import click

from fedcloud_agent import clock
from fedcloud_agent.accounting import republication
from fedcloud_agent.accounting.correction import Corrected, correct, corrections
from fedcloud_agent.accounting.destinations import FileTransport
from fedcloud_agent.accounting.republication import Closed, Extent, Selection
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.cli.accounting.choosing import chosen_destinations
from fedcloud_agent.cli.accounting.report import Report, count
from fedcloud_agent.cli.accounting.sending import send_run, send_to
from fedcloud_agent.cli.accounting.trial import trial_of
from fedcloud_agent.cli.opening import state_of, store_of
from fedcloud_agent.clock import month_name
from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.errors import ConfigurationError, UsageError
from fedcloud_agent.store.engine import Store


class Planned(NamedTuple):
    """One selection for one destination, and what republishing it comes to."""

    selection: Selection
    extent: Extent
    corrections: Corrected


def selections(first: int, last: int, clouds: Sequence[str], vos: Sequence[str]) -> List[Selection]:
    """Return what is chosen. Raises UsageError when the months are the wrong way round."""
    if last < first:
        raise UsageError(f"--from {month_name(first)} is later than --to {month_name(last)}")
    return [Selection(first, last, *which) for which in itertools.product(clouds or (None,), vos or (None,))]


def plan(
    store: Store, settings: AccountingSettings, names: Sequence[str], chosen: Sequence[Selection]
) -> List[Planned]:
    """Return what republishing comes to. Raises UsageError for months that are closed, or without any record."""
    planned = []
    for name, selection in itertools.product(names, chosen):
        with store.read() as connection:
            closed = republication.closed(connection, name, selection)
            extent = republication.extent(connection, name, selection)
        if closed:
            raise _closed(name, closed)
        if extent.records or extent.rejected:
            planned.append(Planned(selection, extent, corrections(store, name, selection, settings.cpu_duration)))
    if not planned:
        raise UsageError(
            f"there is no record from {month_name(chosen[0].first)} to {month_name(chosen[0].last)} that fits",
            hint="'fedcloud-agent accounting show' tells which months, clouds and VOs there are",
        )
    return planned


def _closed(destination: str, closed: Sequence[Closed]) -> UsageError:
    months = "; ".join(
        f"{month_name(one.first)} to {month_name(one.last)} of cloud {one.cloud}, VO {one.vo}" for one in closed
    )
    newest = max(one.last for one in closed)
    return UsageError(
        f"destination {destination}: machines of these months were let go, so that only their sums are left: {months}",
        hint=f"begin with --from {month_name(newest + 1)}; accounting.keep_machines says how long machines are kept",
    )


def words_of(one: Planned) -> List[str]:
    """Return what one selection comes to, for people."""
    extent, mended, selection = one.extent, one.corrections, one.selection
    of = "".join(f", {what} {name}" for what, name in (("cloud", selection.cloud), ("VO", selection.vo)) if name)
    lines = []
    if extent.first is not None and extent.last is not None:
        lines.append(
            f"{extent.destination}{of}: {count(extent.records, 'record')} of {count(extent.machines, 'machine')}, "
            f"{month_name(extent.first)} to {month_name(extent.last)}, leave again"
        )
    if extent.under_way:
        lines.append(f"  {extent.under_way} of them wait or are under way anyhow")
    if mended.changed:
        lines.append(
            f"  of {count(mended.machines, 'machine')} the cloud told more since: "
            f"{count(mended.changed, 'record')} get other values, {mended.lowered} of them lower ones; "
            f"{count(mended.following, 'later record')} follow"
        )
    if extent.rejected:
        lines.append(
            f"  {count(extent.rejected, 'record')} beside them set aside: 'accounting release' judges them again"
        )
    return lines


def _note(planned: Sequence[Planned], report: Report) -> None:
    for one in planned:
        for line in words_of(one):
            click.echo(line, err=True)
        report.more.setdefault("plan", []).append(
            {
                **one.extent._asdict(),
                "cloud": one.selection.cloud,
                "vo": one.selection.vo,
                "first": month_name(one.selection.first),
                "last": month_name(one.selection.last),
                "corrections": one.corrections._asdict(),
            }
        )


def _begin(store: Store, settings: AccountingSettings, planned: Sequence[Planned]) -> None:
    """Correct first, then write down what is to go out again: killed in between, what was corrected leaves anyhow."""
    for one in planned:
        correct(store, one.extent.destination, one.selection, settings.cpu_duration)
        with store.write() as connection:
            republication.begin(connection, one.extent.destination, one.selection, clock.now())


def republish_run(
    configuration: Configuration, destinations: Sequence[str], chosen: Sequence[Selection], yes: bool, report: Report
) -> None:
    """Say what it comes to, ask unless ``yes``, and do it as a run of the sending loop."""
    settings = configuration.room(AccountingSettings)
    names = chosen_destinations(settings, destinations)
    for name in names:
        if not settings.destinations[name].send:
            raise ConfigurationError(
                f"nothing is sent to the destination {name!r}, so nothing can be sent again",
                hint=f"accounting.destinations.{name}.send is false; --dry-run FILE works all the same",
            )
    with store_of(configuration) as store:
        planned = plan(store, settings, names, chosen)
        _note(planned, report)
        if not yes and not _agreed():
            click.echo("nothing was changed", err=True)
            return
        _begin(store, settings, planned)
    send_run(configuration, names, report)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", hint="say --yes, or look first: --dry-run FILE")
    return click.confirm("Send them?", err=True)


def dry_run(
    configuration: Configuration, destinations: Sequence[str], chosen: Sequence[Selection], file: Path, report: Report
) -> None:
    """Go the whole way on a copy of the ledger; what would leave for it ends in a file."""
    settings = configuration.room(AccountingSettings)
    names = chosen_destinations(settings, destinations)
    with store_of(configuration) as store, trial_of(store, state_of(configuration)) as trial:
        planned = plan(trial, settings, names, chosen)
        _note(planned, report)
        transport = FileTransport(file)
        assert trial.path is not None
        # what waits for other reasons is taken out of the way first
        report.errors.extend(
            send_to(configuration, trial, names, FileTransport(trial.path.with_suffix(".rest")), report)
        )
        _begin(trial, settings, planned)
        report.errors.extend(send_to(configuration, trial, names, transport, report))
    records = sum(one["records"] for one in report.destinations.values())
    click.echo(f"dry run: {count(records, 'record')} in {file}, none sent", err=True)
