"""``fedcloud-agent daemon``: what systemd starts."""

from __future__ import annotations

import click

from fedcloud_agent.cli.context import Context


@click.command()
@click.pass_obj
def daemon(context: Context) -> None:
    """Run every loop on its schedule, until told to stop.

    Each run is a command of its own that you can type as well. SIGHUP reads the configuration anew: a faulty one is
    reported and not used. SIGTERM ends the runs in progress in good order; what was cut short is made up for at the
    next start.
    """
    from fedcloud_agent.cli.loops import loaded
    from fedcloud_agent.config.settings import DirectoriesSettings
    from fedcloud_agent.daemon.daemon import Daemon
    from fedcloud_agent.daemon.loops import Loaded
    from fedcloud_agent.daemon.state import snapshot_of
    from fedcloud_agent.errors import ConfigurationError

    state = context.load().room(DirectoriesSettings).state

    def load() -> Loaded:
        configuration = context.load()
        if configuration.room(DirectoriesSettings).state != state:
            raise ConfigurationError(
                "directories.state has changed, which needs a restart", hint="systemctl restart fedcloud-agent"
            )
        return loaded(configuration, snapshot_of(state))

    Daemon(state, load).run()
