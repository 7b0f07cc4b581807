"""``accounting audit``: the ledger against a fresh listing of the cloud, and against what was acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from fedcloud_agent.accounting.findings import Findings

_SHOWN = 3


@click.command()
@options.clouds
@options.destinations
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=2,
    metavar="DAYS",
    show_default=True,
    help="How long a record may wait for its acknowledgement.",
)
@options.json
@click.pass_obj
def audit(
    context: Context, clouds: Tuple[str, ...], destinations: Tuple[str, ...], patience: int, as_json: bool
) -> int:
    """List the whole cloud anew and compare it with the ledger and with what was acknowledged. Changes nothing.

    Exits with 0 when all is well, and with 75 when somebody should look: one line for each kind of finding says what
    it is, how often it was found, and what to do. A cloud that cannot be asked at all is an error with its own code.
    """
    from fedcloud_agent import clock
    from fedcloud_agent.accounting.arrears import arrears
    from fedcloud_agent.accounting.audit import Terms
    from fedcloud_agent.accounting.audit import audit as compare
    from fedcloud_agent.accounting.findings import Findings
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli.accounting.choosing import chosen_destinations
    from fedcloud_agent.cli.opening import chosen_clouds, cloud_of, store_of
    from fedcloud_agent.cli.progress import progress
    from fedcloud_agent.clouds.contract import UsageFacet
    from fedcloud_agent.errors import TryAgainError

    configuration = context.configuration
    settings = configuration.room(AccountingSettings)
    names = chosen_destinations(settings, destinations)
    entries = chosen_clouds(configuration, list(clouds))
    terms = Terms(names, settings.clock_tolerance)
    found = Findings()
    with store_of(configuration) as store:
        for entry in entries:
            with cloud_of(entry, UsageFacet) as cloud, progress(f"servers of {entry.name}") as bar:
                assert isinstance(cloud, UsageFacet)
                compare(store, entry.name, cloud, terms, clock.now, found, bar)
        with store.read() as connection:
            for name in names:
                if settings.destinations[name].send:
                    of = [entry.name for entry in entries]
                    arrears(connection, name, of, patience * clock.DAY, clock.now(), found)
    _print(found, as_json)
    return 0 if found.well else TryAgainError.exit_code


def _print(found: Findings, as_json: bool) -> None:
    from fedcloud_agent.accounting.findings import KINDS
    from fedcloud_agent.cli.output import print_json

    if as_json:
        print_json(
            {
                "well": found.well,
                "machines": found.machines,
                "records": found.records,
                "counts": found.counts,
                "seconds": found.seconds,
                "findings": [one._asdict() for one in found.named],
            }
        )
        return
    for kind, words in KINDS.items():
        if kind in found.counts:
            first = [_name(one.machine, one.text) for one in found.named if one.kind == kind][:_SHOWN]
            more = f" and {found.counts[kind] - len(first)} more" if found.counts[kind] > len(first) else ""
            click.echo(f"{kind} ({found.counts[kind]}): {words}: {'; '.join(first)}{more}")
    compared = f"{found.machines} machines and {found.records} records compared"
    click.echo(f"{compared}: {'all is well' if found.well else 'somebody should look'}")


def _name(machine: Optional[str], text: str) -> str:
    return f"{machine}: {text}" if machine else text
