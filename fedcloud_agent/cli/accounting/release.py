"""``accounting release``: what was set aside is judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from fedcloud_agent.accounting.record import Frame
    from fedcloud_agent.config.configuration import Configuration

_SHOWN = 20


@click.command()
@click.option("--vm", "machines", multiple=True, metavar="VMUUID", help="Of this machine; may be given again.")
@click.option("--message", "messages", multiple=True, metavar="ID", help="Of this refused message; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Everything that was set aside.")
@options.json
@click.pass_obj
def release(
    context: Context, machines: Tuple[str, ...], messages: Tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Judge records again that were set aside, and send those whose reason is mended.

    They are made again with their values, from what the ledger and the configuration say by now, also those of machines
    that have ended. Records of a message that was refused leave as they were, in another message.
    'accounting show --rejected' names what is set aside, and why.
    """
    from fedcloud_agent.accounting.release import Wanted
    from fedcloud_agent.accounting.release import release as judge
    from fedcloud_agent.cli.accounting.report import Report, count
    from fedcloud_agent.cli.accounting.sending import send_run
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.errors import UsageError

    if not (machines or messages or everything):
        raise UsageError("nothing is named", hint="say --vm VMUUID, --message ID or --all")
    configuration = context.configuration
    wanted = Wanted(frozenset(machines), frozenset(messages), everything)
    with store_of(configuration) as store:
        done = judge(store, wanted, _frames(configuration))
    if not (done.records or done.kept or done.messages) and not everything:
        raise UsageError(
            f"nothing is set aside of {', '.join((*machines, *messages))}",
            hint="'fedcloud-agent accounting show --rejected' names what is",
        )
    click.echo(f"{count(done.records, 'record')} wait again, {len(done.kept)} stay set aside", err=True)
    for one in done.kept[:_SHOWN]:
        click.echo(f"  {one.destination}, cloud {one.cloud}, machine {one.uuid}, {one.month}: {one.reason}", err=True)
    if len(done.kept) > _SHOWN:
        click.echo(f"  and {len(done.kept) - _SHOWN} more", err=True)
    for identity in done.messages:
        click.echo(f"message {identity} is forgotten: none of its records is set aside any more", err=True)
    report = Report()
    kept = [one._asdict() for one in done.kept]
    report.more.update(released=done.records, kept=kept, messages=done.messages)
    if done.records:
        send_run(configuration, (), report)
    report.finish(as_json)


def _frames(configuration: Configuration) -> Dict[str, Frame]:
    from fedcloud_agent.cli.accounting.extracting import frame_of
    from fedcloud_agent.cli.opening import cloud_of

    frames = {}
    for entry in configuration.clouds.values():
        with cloud_of(entry) as cloud:
            frames[entry.name] = frame_of(configuration, entry, cloud)
    return frames
