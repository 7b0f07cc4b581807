"""``accounting send``: deliver what waits, or prove with a ping that it could be delivered."""

from __future__ import annotations

from typing import Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context


@click.command()
@options.destinations
@options.json
@click.option(
    "--ping",
    is_flag=True,
    help="Send one signed message without a record, which the repository takes as nothing: proves key, DN and way.",
)
@click.pass_obj
def send(context: Context, destinations: Tuple[str, ...], as_json: bool, ping: bool) -> None:
    """Send what waits, to each destination."""
    from fedcloud_agent.cli.accounting.report import Report
    from fedcloud_agent.cli.accounting.sending import send_run

    if ping:
        _ping(context, destinations, as_json)
        return
    report = Report()
    send_run(context.configuration, destinations, report)
    report.finish(as_json)


def _ping(context: Context, destinations: Tuple[str, ...], as_json: bool) -> None:
    from fedcloud_agent.accounting.destinations import ping
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli.accounting.choosing import chosen_destinations
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.outbox.opening import open_transport

    settings = context.configuration.room(AccountingSettings)
    names = chosen_destinations(settings, destinations)
    peers = {name: ping(open_transport(settings.destinations[name]), settings.record_version) for name in names}
    if as_json:
        print_json(peers)
    else:
        for name, peer in peers.items():
            click.echo(f"{name}: {peer} took a signed message without a record")
