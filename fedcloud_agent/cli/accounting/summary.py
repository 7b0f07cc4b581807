"""``accounting summary``: what the portal shows of the site, to compare with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional, Tuple

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from fedcloud_agent.accounting.summary import Line

_BY = ("vo", "user", "image", "status", "cpus", "service", "site", "cloud")


@click.command()
@options.first
@options.last
@options.destinations
@options.clouds
@click.option("--by", type=click.Choice(_BY), default="vo", show_default=True, help="What the sums are told apart by.")
@options.json
@click.option("--csv", metavar="FILE", type=click.Path(), help="Write CSV into FILE; '-' is standard output.")
@click.option(
    "--plot",
    metavar="FILE",
    type=click.Path(),
    help="Draw elapsed time x processors by month into FILE: .svg, or .png with matplotlib.",
)
@click.pass_obj
def summary(
    context: Context,
    first: Optional[str],
    last: Optional[str],
    destinations: Tuple[str, ...],
    clouds: Tuple[str, ...],
    by: str,
    as_json: bool,
    csv: Optional[str],
    plot: Optional[str],
) -> None:
    """Sum up by month and VO what the portal shows, computed from what was acknowledged by the repository's own rules.

    The last column tells elapsed time x processors as it will be once everything that waits has arrived.
    """
    from fedcloud_agent.cli.accounting import summed
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.errors import UsageError

    if as_json and csv == "-":
        raise UsageError("--json and --csv - both want standard output", hint="name a file for --csv")
    begin, end = options.month(first), options.month(last)
    with store_of(context.configuration) as store, store.read() as connection:
        lines = _lines(context, connection, destinations, clouds, by, begin, end)
    if plot is not None:
        _draw(plot, lines, by, context)
    if csv is not None:
        summed.write_csv(csv, lines, by)
    if as_json:
        print_json([summed.as_json(line, by) for line in lines])
    elif csv is None and plot is None:
        print_table(*summed.table(lines, by))
        for note in summed.notes(lines):
            click.echo(note)


def _lines(
    context: Context,
    connection: Connection,
    chosen: Tuple[str, ...],
    clouds: Tuple[str, ...],
    by: str,
    first: Optional[int],
    last: Optional[int],
) -> List[Line]:
    from fedcloud_agent import clock
    from fedcloud_agent.accounting.packing import frozen_before
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.accounting.summary import destinations, summary
    from fedcloud_agent.cli.accounting.choosing import chosen_tidying

    settings = context.configuration.room(AccountingSettings)
    names = sorted({*settings.destinations, *destinations(connection)})
    tidying = chosen_tidying(settings, names, chosen, "the ledger has no record for one of that name")
    now = clock.now()
    return [
        line
        for name, tidied in tidying.items()
        for line in summary(connection, name, frozen_before(now, tidied), by, first, last, clouds)
    ]


def _draw(plot: str, lines: List[Line], by: str, context: Context) -> None:
    from pathlib import Path

    from fedcloud_agent import clock
    from fedcloud_agent.accounting import chart
    from fedcloud_agent.cli.accounting import picture, summed
    from fedcloud_agent.durable import write_whole
    from fedcloud_agent.errors import UsageError
    from fedcloud_agent.site.settings import SiteSettings

    path = Path(plot)
    if path.suffix not in (".svg", ".png"):
        raise UsageError(f"a chart cannot be drawn into {plot}", hint="name a file that ends in .svg or .png")
    if len({line.destination for line in lines}) > 1:
        raise UsageError("a chart is of one destination", hint="choose it with --destination NAME")
    if not lines:
        raise UsageError("there is nothing to draw: no record in these months", hint="widen --from and --to")
    drawn = summed.chart_of(lines, by, context.configuration.room(SiteSettings).name, clock.now())
    content = chart.svg(drawn).encode("utf-8") if path.suffix == ".svg" else picture.png(drawn)
    write_whole(path, content, mode=0o644)
