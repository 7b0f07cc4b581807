"""The options that several infosys commands share."""

from __future__ import annotations

import click

clouds = click.option("--cloud", "clouds", multiple=True, metavar="NAME", help="Only this cloud; may be given again.")
offer = click.option(
    "--offer",
    "offer",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Take what the clouds offer from this file instead of asking them; 'render --format offer' writes one.",
)
url = click.option(
    "--url", metavar="URL", help="Read this server, such as ldap://bdii.example.org:2170. Default: our own, here."
)
base = click.option(
    "--base", metavar="DN", help="Read only what is below this entry. Default: the whole tree, 'o=glue'."
)
