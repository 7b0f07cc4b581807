"""``accounting forget``: give up a destination; only one that is not configured, and never under a run that sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import click

from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from fedcloud_agent.accounting.forgetting import Forgotten
    from fedcloud_agent.config.configuration import Configuration


@click.command()
@click.option("--destination", "name", required=True, metavar="NAME", help="One that is no longer configured.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(context: Context, name: str, yes: bool) -> None:
    """Forget a destination that was given up: the messages that are kept for it, and its part of the ledger.

    A destination that is only out of use for a while needs nothing of the kind: what waits for it is kept, and once it
    is configured again it gets what it lacks.
    """

    def confirm() -> None:
        if not yes:
            click.confirm(
                f"Forget what waits for {name!r}, and that anything was ever sent there?", abort=True, err=True
            )

    gone = _forgotten(context.configuration, name, confirm)
    click.echo(f"forgotten: {gone.messages} messages and {gone.records} records of {name}")


def _forgotten(configuration: Configuration, name: str, confirm: Callable[[], None]) -> Forgotten:
    """Forget a destination while nothing is sent; ``confirm`` raises to prevent it.

    Raises ConfigurationError when it is configured still, or not known.
    """
    from fedcloud_agent.accounting import forgetting
    from fedcloud_agent.accounting.settings import AccountingSettings
    from fedcloud_agent.cli.accounting.sending import LOOP
    from fedcloud_agent.cli.opening import state_of, store_of
    from fedcloud_agent.errors import ConfigurationError
    from fedcloud_agent.locks import held
    from fedcloud_agent.outcome import lock_of

    if name in configuration.room(AccountingSettings).destinations:
        raise ConfigurationError(
            f"the destination {name!r} is configured, so it is not forgotten",
            hint="take it out of accounting.destinations first, and let the daemon reload",
        )
    with held(lock_of(state_of(configuration), LOOP, None), "sending"), store_of(configuration) as store:
        with store.read() as connection:
            known = forgetting.known_destinations(connection)
        if name not in known:
            raise ConfigurationError(
                f"nothing is known of a destination {name!r}", hint=f"known: {', '.join(known) or 'none'}"
            )
        confirm()
        with store.write() as connection:
            return forgetting.forget(connection, name)
