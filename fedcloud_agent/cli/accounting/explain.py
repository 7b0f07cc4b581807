"""``accounting explain``: one machine, from the cloud to the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_CANDIDATES = 20


@click.command()
@click.argument("vm")
@options.destinations
@options.json
@click.pass_obj
def explain(context: Context, vm: str, destinations: Tuple[str, ...], as_json: bool) -> None:
    """Explain what became of a machine's usage: what the cloud said, its records, and what the portal shows.

    VM is a VMUUID or how one begins, the cloud's own id, or a name. Where several machines may be meant, they are
    listed.
    """
    from fedcloud_agent import clock
    from fedcloud_agent.accounting.explanation import explain, recorded_destinations
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli.accounting import explained
    from fedcloud_agent.cli.accounting.choosing import chosen_tidying
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.output import print_json

    settings = context.configuration.room(AccountingSettings)
    with store_of(context.configuration) as store, store.read() as connection:
        machine = _only(connection, vm)
        names = dict.fromkeys([*recorded_destinations(connection, machine), *settings.destinations])
        lacking = "none of that name has a record of this machine"
        tidying = chosen_tidying(settings, names, destinations, lacking)
        found = explain(connection, machine, tidying, settings.first_run, clock.now())
    if as_json:
        print_json(explained.as_json(found))
        return
    for line in explained.lines(found):
        click.echo(line)
    for name, destination in settings.destinations.items():
        if not destination.send and any(account.destination == name for account in found.accounts):
            click.echo(f"Nothing leaves for {name}: 'send' is false.")


def _only(connection: Connection, words: str) -> int:
    from fedcloud_agent.accounting.search import find, let_go
    from fedcloud_agent.clock import utc
    from fedcloud_agent.errors import UsageError

    found = find(connection, words, _CANDIDATES + 1)
    gone = None if found else let_go(connection, words)
    if gone is not None:
        raise UsageError(
            f"machine {words} of cloud {gone} ended so long ago that the ledger let it go: only the sums of its months "
            "are left",
            hint="'fedcloud-agent accounting summary' has them; accounting.keep_machines is how long machines are kept",
        )
    if not found:
        raise UsageError(
            f"the ledger knows no machine {words!r}",
            hint="a machine is seen only in a project that 'vos' of its cloud names, and after the next extraction; "
            "'fedcloud-agent clouds --probe' shows whether the cloud answers",
        )
    if len(found) > 1:
        shown = [
            f"  {one.uuid}  {one.name} of {one.cloud}, {one.status}"
            + (f", {utc(one.start)} to {utc(one.end) if one.end is not None else 'now'}" if one.start else "")
            for one in found[:_CANDIDATES]
        ]
        more = ["  and more"] if len(found) > _CANDIDATES else []
        raise UsageError(
            "\n".join([f"{words!r} may be any of these machines:", *shown, *more]),
            hint="name one by its VMUUID, or enough of its beginning",
        )
    return found[0].id
