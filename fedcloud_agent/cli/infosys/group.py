"""``fedcloud-agent infosys``: the group, and the one place in which a command enters it."""

from __future__ import annotations

import click

from fedcloud_agent.cli.infosys import check, diff, publish, render, serve, show


@click.group()
def infosys() -> None:
    """Tell the federation what the site offers: GLUE 2 entries, and the JSON form of them.

    What breaks a rule of the federation's validator is set aside and named, and the rest is published.
    """


for _command in (check.check, diff.diff, publish.publish, render.render, serve.serve, show.show):
    infosys.add_command(_command)
