"""How 'accounting forget' gives up a destination: only one that is not configured, and never under a run that sends."""

from __future__ import annotations

from typing import Callable

from fedcloud_agent.accounting.forgetting import Forgotten, forget, known_destinations
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.cli.accounting_runs import SEND_LOOP
from fedcloud_agent.cli.opening import state_of, store_of
from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.locks import held
from fedcloud_agent.outcome import lock_of


def forget_destination(configuration: Configuration, name: str, confirm: Callable[[], None]) -> Forgotten:
    """Forget a destination that is no longer configured, while nothing is sent; ``confirm`` raises to prevent it.

    Raises ConfigurationError when it is configured still, or not known.
    """
    if name in configuration.room(AccountingSettings).destinations:
        raise ConfigurationError(
            f"the destination {name!r} is configured, so it is not forgotten",
            hint="take it out of accounting.destinations first, and let the daemon reload",
        )
    state = state_of(configuration)
    with held(lock_of(state, SEND_LOOP, None), "sending"), store_of(configuration) as store:
        with store.read() as connection:
            known = known_destinations(connection)
        if name not in known:
            raise ConfigurationError(
                f"nothing is known of a destination {name!r}", hint=f"known: {', '.join(known) or 'none'}"
            )
        confirm()
        with store.write() as connection:
            return forget(connection, name)
