"""``accounting republish``: months that were reported go out once more."""

from __future__ import annotations

from typing import Optional, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context


@click.command()
@click.option("--from", "first", required=True, metavar="YYYY-MM", help="First month.")
@click.option("--to", "last", required=True, metavar="YYYY-MM", help="Last month.")
@options.destinations
@options.clouds
@click.option("--vo", "vos", multiple=True, metavar="NAME", help="Only this VO; may be given again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--dry-run",
    "file",
    type=click.Path(),
    metavar="FILE",
    help="On a copy of the ledger; the messages that would leave for it are written into the new FILE.",
)
@options.json
@click.pass_obj
def republish(
    context: Context,
    first: str,
    last: str,
    destinations: Tuple[str, ...],
    clouds: Tuple[str, ...],
    vos: Tuple[str, ...],
    yes: bool,
    file: Optional[str],
    as_json: bool,
) -> None:
    """Send the newest record of each machine and month again, the oldest month first.

    Records leave byte by byte as they are in the ledger, under the key fields that their months were published with.
    Only where the cloud told more of a machine since, so that its months would be measured otherwise now, do they get
    other values, also lower ones; then all later months of that machine follow. What it comes to is said before, and
    asked for. Interrupted, it goes on with the next sending, or when the same is typed again.
    """
    from pathlib import Path

    from fedcloud_agent.cli.accounting.report import Report
    from fedcloud_agent.cli.accounting.republishing import dry_run, republish_run, selections

    configuration = context.configuration
    chosen = selections(options.month(first) or 0, options.month(last) or 0, clouds, vos)
    report = Report()
    if file is not None:
        dry_run(configuration, destinations, chosen, Path(file), report)
    else:
        republish_run(configuration, destinations, chosen, yes, report)
    report.finish(as_json)
