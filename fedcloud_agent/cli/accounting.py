"""``fedcloud-agent accounting``: extract usage, send records, show what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from fedcloud_agent.cli.accounting_runs import Report


@click.group()
def accounting() -> None:
    """Report the usage of virtual machines to the accounting repository.

    'run' is what the daemon does every hour: extract, then send. Everything is kept in a ledger, so a run that is cut
    off, killed or repeated neither loses nor doubles anything.
    """


_cloud = click.option("--cloud", "clouds", multiple=True, metavar="NAME", help="Only this cloud; may be given again.")
_destination = click.option(
    "--destination", "destinations", multiple=True, metavar="NAME", help="Only this destination; may be given again."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_dry_run = click.option(
    "--dry-run",
    "file",
    type=click.Path(),
    metavar="FILE",
    help="Go the whole way on a copy of the ledger, but write the messages into the new FILE instead of sending them.",
)
_accept = click.option(
    "--accept-vanished",
    is_flag=True,
    help="Complete machines that vanished, although there are suspiciously many of them.",
)


@accounting.command()
@_cloud
@_json
@_dry_run
@_accept
@click.pass_obj
def extract(
    context: Context, clouds: Tuple[str, ...], as_json: bool, file: Optional[str], accept_vanished: bool
) -> None:
    """Read usage from the clouds into the ledger and make the records that are due; send nothing."""
    _run(context, list(clouds), as_json, file, accept_vanished, sending=False)


@accounting.command()
@_cloud
@_json
@_dry_run
@_accept
@click.pass_obj
def run(context: Context, clouds: Tuple[str, ...], as_json: bool, file: Optional[str], accept_vanished: bool) -> None:
    """Extract from the clouds, then send what waits. What the daemon does."""
    _run(context, list(clouds), as_json, file, accept_vanished, sending=True)


def _run(
    context: Context, clouds: List[str], as_json: bool, file: Optional[str], accept_vanished: bool, sending: bool
) -> None:
    from pathlib import Path

    from fedcloud_agent.cli import accounting_runs as runs
    from fedcloud_agent.cli.opening import chosen_clouds

    configuration = context.configuration
    report = runs.Report()
    entries = chosen_clouds(configuration, clouds)
    if file is not None:
        runs.dry_run(configuration, entries, accept_vanished, Path(file), report)
    else:
        for entry in entries:
            runs.extract_run(configuration, entry, accept_vanished, report)
        if sending:
            runs.send_run(configuration, (), report)
    _finish(report, as_json)


@accounting.command()
@_destination
@_json
@click.option(
    "--ping",
    is_flag=True,
    help="Send one signed message without a record, which the repository takes as nothing: proves key, DN and way.",
)
@click.pass_obj
def send(context: Context, destinations: Tuple[str, ...], as_json: bool, ping: bool) -> None:
    """Send what waits, to each destination."""
    from fedcloud_agent.cli import accounting_runs as runs

    report = runs.Report()
    if ping:
        _ping(context, destinations, as_json)
        return
    runs.send_run(context.configuration, destinations, report)
    _finish(report, as_json)


def _ping(context: Context, destinations: Tuple[str, ...], as_json: bool) -> None:
    from fedcloud_agent.accounting.destinations import ping
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli import accounting_runs as runs
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.outbox.opening import open_transport

    settings = context.configuration.room(AccountingSettings)
    names = runs.chosen_destinations(settings, destinations)
    peers = {name: ping(open_transport(settings.destinations[name]), settings.record_version) for name in names}
    if as_json:
        print_json(peers)
    else:
        for name, peer in peers.items():
            click.echo(f"{name}: {peer} took a signed message without a record")


def _finish(report: Report, as_json: bool) -> None:
    from fedcloud_agent.cli.output import print_json

    if as_json:
        print_json(report.as_json())
    if report.errors:
        for error in report.errors[1:]:
            if not error.reported:
                click.echo(f"fedcloud-agent: {error.message}", err=True)
        raise report.errors[0]


@accounting.command()
@click.option("--from", "first", metavar="YYYY-MM", help="First month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month.")
@click.option("--rejected", is_flag=True, help="Records and messages that were set aside, and why.")
@_json
@click.pass_obj
def show(context: Context, first: Optional[str], last: Optional[str], rejected: bool, as_json: bool) -> None:
    """Show the ledger: usage by month and VO, and how far its records got."""
    from fedcloud_agent.accounting import report
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.outbox import queue

    begin, end = _month(first), _month(last)
    with store_of(context.configuration) as store, store.read() as connection:
        if rejected:
            records, messages = report.rejected(connection), queue.quarantined(connection)
            notes = report.notes(connection)
            if as_json:
                print_json(
                    {
                        "records": [one._asdict() for one in records],
                        "messages": [one._asdict() for one in messages],
                        "notes": [one._asdict() for one in notes],
                    }
                )
                return
            print_table(
                ("destination", "cloud", "machine", "name", "VO", "month", "reason"),
                [(r.destination, r.cloud, r.uuid, r.name, r.vo, r.month, r.reason) for r in records],
            )
            for message in messages:
                click.echo(
                    f"message {message.id} to {message.destination} ({message.records} records): {message.reason}"
                )
            for note in notes:
                click.echo(f"machine {note.uuid} ({note.name}) of cloud {note.cloud}: {note.note}")
            return
        months = report.months(connection, begin, end)
    if as_json:
        print_json([one._asdict() for one in months])
        return
    print_table(
        ("destination", "cloud", "month", "VO", "machines", "wall h", "cpu h", "acknowledged", "waiting", "set aside"),
        [
            (
                *(one.destination, one.cloud, one.month, one.vo, str(one.machines)),
                *(f"{one.wall / 3600:.2f}", f"{one.cpu / 3600:.2f}"),
                *(str(one.acknowledged), str(one.waiting), str(one.rejected)),
            )
            for one in months
        ],
    )


@accounting.command()
@click.option("--destination", "name", required=True, metavar="NAME", help="Whose records.")
@click.option("--to-directory", "directory", required=True, type=click.Path(), help="An existing directory.")
@click.option("--from", "first", metavar="YYYY-MM", help="First month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month.")
@click.pass_obj
def export(context: Context, name: str, directory: str, first: Optional[str], last: Optional[str]) -> None:
    """Write the newest record of each machine and month as unsigned messages, one file each. Changes nothing.

    To look at, to archive, or to hand to the repository's operators when they ask for it.
    """
    from pathlib import Path

    from fedcloud_agent.accounting import report
    from fedcloud_agent.accounting.destinations import limits_of
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli import accounting_runs as runs
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.outbox.directory import DirectoryTransport
    from fedcloud_agent.outbox.identity import new_id
    from fedcloud_agent.outbox.settings import DirectoryDestination
    from fedcloud_agent.outbox.transport import Message

    begin, end = _month(first), _month(last)
    settings = context.configuration.room(AccountingSettings)
    runs.chosen_destinations(settings, [name])
    transport = DirectoryTransport(DirectoryDestination(path=Path(directory).absolute(), layout="directory"))
    with store_of(context.configuration) as store, store.read() as connection:
        limits = limits_of(settings, settings.destinations[name])
        bodies = report.bodies(connection, name, limits, begin, end)
        outcomes = list(transport.deliver(Message(new_id(), body.encode("ascii")) for body in bodies))
    click.echo(f"{len(outcomes)} messages written to {directory}")


@accounting.command()
@click.option("--destination", "name", required=True, metavar="NAME", help="One that is no longer configured.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(context: Context, name: str, yes: bool) -> None:
    """Forget a destination that was given up: the messages that are kept for it, and its part of the ledger.

    A destination that is only out of use for a while needs nothing of the kind: what waits for it is kept, and once it
    is configured again it gets what it lacks.
    """
    from fedcloud_agent.cli.accounting_forget import forget_destination

    def confirm() -> None:
        if not yes:
            click.confirm(
                f"Forget what waits for {name!r}, and that anything was ever sent there?", abort=True, err=True
            )

    gone = forget_destination(context.configuration, name, confirm)
    click.echo(f"forgotten: {gone.messages} messages and {gone.records} records of {name}")


def _month(text: Optional[str]) -> Optional[int]:
    from fedcloud_agent.clock import parse_month
    from fedcloud_agent.errors import UsageError

    if text is None:
        return None
    try:
        return parse_month(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
