"""``infosys serve``: the information system's own LDAP server, and whoever keeps it alive."""

from __future__ import annotations

import click

from fedcloud_agent.cli.context import Context


@click.command()
@click.pass_obj
def serve(context: Context) -> None:
    """Answer the federation's readers on port 2170, until told to stop.

    Runs slapd on the tree that 'infosys publish' keeps, starts it again when it ends, and hands over without a break
    when the tree has to be loaded anew. Nobody is served before there is a tree. SIGHUP reads the configuration anew;
    SIGTERM ends slapd in order. It needs neither the daemon nor the clouds.
    """
    import logging
    import resource
    import socket

    from fedcloud_agent import locks
    from fedcloud_agent.cli.infosys.own_part import read
    from fedcloud_agent.daemon.notify import notify, reloading, watchdog_period
    from fedcloud_agent.daemon.signals import Signals
    from fedcloud_agent.errors import AgentError, ConfigurationError
    from fedcloud_agent.infosys.slapd.service import TICK, Service

    log = logging.getLogger(__name__)
    own = read(context.directory)
    # slapd makes tables for as many connections as it may have files, and a container may let it have a billion
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard >= 0 else 4096, hard))

    lock = own.state / "locks" / "infosys-serve.lock"
    with locks.held(lock, "the serving of the information system", patience=2), Signals() as asked:
        service = Service(own.state, own.infosys, lambda: own.infosys.host or socket.getfqdn(), lambda: asked.stop)
        try:
            service.begin()
            watchdog, said = watchdog_period(), service.sentence
            notify(READY=1, STATUS=said)
            while not asked.stop:
                if asked.reload:
                    asked.reload = False
                    reloading()
                    try:
                        changed = read(context.directory)
                        if changed.state != own.state:
                            raise ConfigurationError("directories.state has changed, which needs a restart")
                        service.reconfigure(changed.infosys)
                        own = changed
                    except AgentError as error:
                        log.error("the new configuration is not used, the old one stays: %s", error.message)
                    notify(READY=1, STATUS=said)
                wait = service.turn()
                if watchdog is not None and service.healthy:
                    notify(WATCHDOG=1)
                if service.sentence != said:
                    said = service.sentence
                    notify(STATUS=said)
                asked.wait(min(wait, watchdog or TICK))
            notify(STOPPING=1, STATUS="ending slapd")
        finally:
            service.end()
        log.info("nobody is served any more")
