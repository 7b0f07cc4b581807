"""``infosys render``: what would be published, in any of its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.infosys import options

if TYPE_CHECKING:
    from fedcloud_agent.infosys.model import SiteOffer


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ldif", "json", "offer"]),
    default="table",
    show_default=True,
    help="'ldif' is the GLUE 2.0 tree, 'json' the GLUE 2.1 document of one cloud, 'offer' what the clouds told.",
)
@options.clouds
@options.offer
@click.pass_obj
def render(context: Context, form: str, clouds: Tuple[str, ...], offer: Optional[str]) -> int:
    """Ask the clouds and print what would be published. Sends nothing, changes nothing.

    What breaks a rule is left out and named on standard error. The exit code is that of the first cloud that failed;
    the others are shown all the same.
    """
    from fedcloud_agent.cli.infosys.asking import ask
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.clock import now
    from fedcloud_agent.clouds.offer_file import encode
    from fedcloud_agent.infosys.sifting import sift, summary

    asked = ask(context.configuration, clouds, offer)
    if form == "offer":
        print_json(encode(asked.offers))
    else:
        instant = now()
        sifted = sift(asked.site(context.configuration, instant), instant)
        for line in summary(sifted):
            click.echo(f"fedcloud-agent: {line}", err=True)
        {"table": _table, "ldif": _ldif, "json": _json}[form](sifted.site, instant)
    return asked.failure.exit_code if asked.failure is not None else 0


def _table(site: SiteOffer, instant: int) -> None:
    from fedcloud_agent.cli.output import print_table
    from fedcloud_agent.infosys import table

    print_table(table.ENDPOINTS, table.endpoints(site))
    click.echo()
    print_table(table.SHARES, table.shares(site))


def _ldif(site: SiteOffer, instant: int) -> None:
    from fedcloud_agent.infosys import glue20, ldif

    for entry in glue20.entries(site, instant):
        click.echo(ldif.record(entry), nl=False)


def _json(site: SiteOffer, instant: int) -> None:
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.errors import UsageError
    from fedcloud_agent.infosys import glue21

    if len(site.compute) != 1:
        names = ", ".join(one.name for one in site.compute) or "none"
        raise UsageError("a JSON document is about one cloud", hint=f"choose with --cloud one of: {names}")
    print_json(glue21.document(site, site.compute[0]))
