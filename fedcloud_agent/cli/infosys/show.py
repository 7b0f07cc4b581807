"""``infosys show``: what a server answers now."""

from __future__ import annotations

from typing import Optional

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.infosys import options


@click.command()
@options.url
@options.base
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ldif", "json"]),
    default="table",
    show_default=True,
    help="'table' has a line for each endpoint, 'ldif' and 'json' have every entry.",
)
@click.pass_obj
def show(context: Context, url: Optional[str], base: Optional[str], form: str) -> int:
    """Read the tree from our server, or any other, as readers do, and print it."""
    from fedcloud_agent.cli.infosys.reading import own_url, tree
    from fedcloud_agent.cli.opening import state_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.infosys import ldif, table

    entries = tree(url or own_url(state_of(context.configuration)), base)
    if form == "ldif":
        for entry in entries:
            click.echo(ldif.record(entry), nl=False)
    elif form == "json":
        print_json([{"dn": one.dn, **{name: list(some) for name, some in one.attributes.items()}} for one in entries])
    else:
        read = table.Read()
        for entry in entries:
            read.show(entry)
        print_table(table.READ, read.rows())
        click.echo(read.summary())
    return 0
