"""``accounting export``: the newest records as files, for people."""

from __future__ import annotations

from typing import Optional

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context


@click.command()
@click.option("--destination", "name", required=True, metavar="NAME", help="Whose records.")
@click.option("--to-directory", "directory", required=True, type=click.Path(), help="An existing directory.")
@options.first
@options.last
@click.pass_obj
def export(context: Context, name: str, directory: str, first: Optional[str], last: Optional[str]) -> None:
    """Write the newest record of each machine and month as unsigned messages, one file each. Changes nothing.

    To look at, to archive, or to hand to the repository's operators when they ask for it.
    """
    from pathlib import Path

    from fedcloud_agent.accounting import report
    from fedcloud_agent.accounting.destinations import limits_of
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli.accounting.choosing import chosen_destinations
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.outbox.directory import DirectoryTransport
    from fedcloud_agent.outbox.identity import new_id
    from fedcloud_agent.outbox.settings import DirectoryDestination
    from fedcloud_agent.outbox.transport import Message

    begin, end = options.month(first), options.month(last)
    settings = context.configuration.room(AccountingSettings)
    chosen_destinations(settings, [name])
    transport = DirectoryTransport(DirectoryDestination(path=Path(directory).absolute(), layout="directory"))
    with store_of(context.configuration) as store, store.read() as connection:
        limits = limits_of(settings, settings.destinations[name])
        bodies = report.bodies(connection, name, limits, begin, end)
        outcomes = list(transport.deliver(Message(new_id(), body.encode("ascii")) for body in bodies))
    click.echo(f"{len(outcomes)} messages written to {directory}")
