"""``fedcloud-agent accounting``: the group, and the one place in which a command enters it."""

from __future__ import annotations

import click

from fedcloud_agent.cli.accounting import audit, explain, export, forget, release, republish, run, send, show, summary


@click.group()
def accounting() -> None:
    """Report the usage of virtual machines to the accounting repository.

    'run' is what the daemon does every hour: extract, then send. Everything is kept in a ledger, so a run that is cut
    off, killed or repeated neither loses nor doubles anything.
    """


for _command in (
    audit.audit,
    explain.explain,
    export.export,
    forget.forget,
    release.release,
    republish.republish,
    run.extract,
    run.run,
    send.send,
    show.show,
    summary.summary,
):
    accounting.add_command(_command)
