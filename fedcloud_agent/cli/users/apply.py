"""``users apply``: do what the plan says."""

from __future__ import annotations

from typing import List, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.users import options
from fedcloud_agent.errors import AgentError, UsageError


@click.command()
@options.clouds
@click.option(
    "--confirm", "confirmed", metavar="PLAN", help="Also do what the guard holds in this plan. Needs --cloud."
)
@click.pass_obj
def apply(context: Context, clouds: Tuple[str, ...], confirmed: Optional[str]) -> None:
    """Make the accounts of each cloud as the newest lists say. What the daemon does.

    Exit code 77 when the guard holds removals; everything else is done then.
    """
    from fedcloud_agent.cli.opening import state_of, store_of
    from fedcloud_agent.cli.running import run_of
    from fedcloud_agent.cli.users.working import LOOP, entries_of, no_lists, run_users

    if confirmed is not None and len(clouds) != 1:
        raise UsageError("--confirm releases the plan of one cloud: name it with --cloud")
    errors: List[AgentError] = []
    with store_of(context.configuration) as store:
        entries = entries_of(context.configuration, clouds, store)
        if not entries and not clouds:
            raise no_lists()
        for name in set(clouds) - {entry.name for entry in entries}:
            with run_of(state_of(context.configuration), LOOP, name) as told:
                told.tell("no facility leads to this cloud")
        for entry in entries:
            try:
                _, sentence = run_users(context.configuration, entry, store, confirmed)
                click.echo(f"{entry.name}: {sentence}")
            except AgentError as error:
                errors.append(error)
    for later in errors[1:]:
        if not later.reported:
            click.echo(f"fedcloud-agent: {later.message}", err=True)
    if errors:
        raise errors[0]
