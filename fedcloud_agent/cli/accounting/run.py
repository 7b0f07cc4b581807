"""``accounting run`` and ``accounting extract``: read usage from the clouds, and send or not."""

from __future__ import annotations

from typing import List, Optional, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context

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


@click.command()
@options.clouds
@options.json
@_dry_run
@_accept
@click.pass_obj
def extract(
    context: Context, clouds: Tuple[str, ...], as_json: bool, file: Optional[str], accept_vanished: bool
) -> None:
    """Read usage from the clouds into the ledger and make the records that are due; send nothing."""
    _run(context, list(clouds), as_json, file, accept_vanished, sending=False)


@click.command()
@options.clouds
@options.json
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

    from fedcloud_agent.cli.accounting.extracting import extract_run
    from fedcloud_agent.cli.accounting.report import Report
    from fedcloud_agent.cli.opening import chosen_clouds

    configuration = context.configuration
    report = Report()
    entries = chosen_clouds(configuration, clouds)
    if file is not None:
        from fedcloud_agent.cli.accounting.trial import dry_run

        dry_run(configuration, entries, accept_vanished, Path(file), report)
    else:
        for entry in entries:
            extract_run(configuration, entry, accept_vanished, report)
        if sending:
            from fedcloud_agent.cli.accounting.sending import send_run

            send_run(configuration, (), report)
    report.finish(as_json)
