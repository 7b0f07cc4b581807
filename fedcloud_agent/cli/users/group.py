"""``fedcloud-agent users``: the group, and the one place in which a command enters it."""

from __future__ import annotations

import click

from fedcloud_agent.cli.users import apply, explain, plan, receive, show


@click.group()
def users() -> None:
    """Keep the accounts of a cloud as Perun lists its users.

    'receive' is what Perun's key may run; 'plan' tells what the newest lists would change, and why. Accounts that the
    agent did not make are never touched, and a list that lacks too many people removes nobody.
    """


for _command in (apply.apply, explain.explain, plan.plan, receive.receive, show.show):
    users.add_command(_command)
