"""The options that several accounting commands share, and how a month is read from one."""

from __future__ import annotations

from typing import Optional

import click

clouds = click.option("--cloud", "clouds", multiple=True, metavar="NAME", help="Only this cloud; may be given again.")
destinations = click.option(
    "--destination", "destinations", multiple=True, metavar="NAME", help="Only this destination; may be given again."
)
json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
first = click.option("--from", "first", metavar="YYYY-MM", help="First month.")
last = click.option("--to", "last", metavar="YYYY-MM", help="Last month.")


def month(text: Optional[str]) -> Optional[int]:
    """Return the month that an option names. Raises UsageError for what is none."""
    from fedcloud_agent.clock import parse_month
    from fedcloud_agent.errors import UsageError

    if text is None:
        return None
    try:
        return parse_month(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
