"""``infosys publish``: the loop of the information system, once."""

from __future__ import annotations

from typing import Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.infosys import options

LOOP = "infosys"


@click.command()
@click.option(
    "--accept-loss",
    "accept",
    multiple=True,
    metavar="CLOUD",
    help="Believe what this cloud tells, however much of it is gone; may be given again.",
)
@options.offer
@click.option("--verify", is_flag=True, help="Read the whole tree back from the server, whatever changed.")
@click.option("--dry-run", is_flag=True, help="Ask the clouds and show what would change; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: what was done, with every entry set aside.")
@click.pass_obj
def publish(
    context: Context, accept: Tuple[str, ...], offer: Optional[str], verify: bool, dry_run: bool, as_json: bool
) -> int:
    """Ask the clouds, and bring what is published up to date: the LDAP tree, and the JSON documents.

    A cloud that fails, or whose answer is doubted (half of it gone at once), keeps its last good offer published and
    ends this with its exit code; everything else is published all the same. The daemon runs this on a schedule.
    """
    from fedcloud_agent.cli.infosys.round import Round
    from fedcloud_agent.cli.opening import state_of
    from fedcloud_agent.cli.running import run_of
    from fedcloud_agent.errors import UsageError

    configuration = context.configuration
    for name in accept:
        if name not in configuration.clouds:
            known = ", ".join(configuration.clouds) or "none"
            raise UsageError(f"no cloud is called {name!r}", hint=f"there are: {known}")
    state = state_of(configuration)
    if dry_run:
        round_ = Round(configuration, state, accept, offer)
        round_.collect()
        round_.preview(as_json)
        return round_.exit_code
    with run_of(state, LOOP) as told:
        round_ = Round(configuration, state, accept, offer)
        round_.collect()
        round_.publish(verify=verify)
        told.tell(round_.sentence(), **round_.counts())
        round_.show(as_json)
        if round_.failure is not None:
            raise round_.failure
    return 0
