"""The options that several users commands share."""

from __future__ import annotations

import click

clouds = click.option("--cloud", "clouds", multiple=True, metavar="NAME", help="Only this cloud; may be given again.")
json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
