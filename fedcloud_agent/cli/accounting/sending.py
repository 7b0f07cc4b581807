"""What waits is sent: as a run of its loop, or over any transport."""

from __future__ import annotations

from typing import List, Optional, Sequence

import click

from fedcloud_agent import clock
from fedcloud_agent.accounting.delivery import Delivered, deliver
from fedcloud_agent.accounting.destinations import limits_of, preferred_peers
from fedcloud_agent.accounting.making import streams
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.accounting.traces import first_run_is_open
from fedcloud_agent.cli.accounting.choosing import chosen_destinations
from fedcloud_agent.cli.accounting.report import Report, count
from fedcloud_agent.cli.opening import state_of, store_of
from fedcloud_agent.cli.progress import progress
from fedcloud_agent.cli.running import run_of
from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.errors import AgentError, RefusedError
from fedcloud_agent.locks import LockedError
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.opening import open_transport
from fedcloud_agent.outbox.transport import Transport
from fedcloud_agent.store.engine import Store

LOOP = "accounting-send"


def send_run(configuration: Configuration, chosen: Sequence[str], report: Report) -> None:
    """Send what waits for the chosen destinations (all, if none is named) as a run of its loop."""
    try:
        with run_of(state_of(configuration), LOOP) as told, store_of(configuration) as store:
            errors = send_to(configuration, store, chosen, None, report)
            with store.read() as connection:
                lines = [one for one in queue.backlog(connection) if one.messages]
            waiting = {one.destination: one.messages for one in lines}
            since = {"waiting_since": min(one.oldest for one in lines if one.oldest is not None)} if lines else {}
            configured = configuration.room(AccountingSettings).destinations
            backlog = sum(messages for name, messages in waiting.items() if name in configured)
            sent = sum(one["messages"] for one in report.destinations.values())
            refused = sum(len(one["refused"]) for one in report.destinations.values())
            words = f"{count(sent, 'message')} acknowledged, {count(backlog, 'message')} waiting"
            words += f", {refused} refused" if refused else ""
            for name, messages in sorted(waiting.items()):
                if name not in configured:
                    words += f", {count(messages, 'message')} kept for {name}, which is not configured"
            told.tell(words, sent=sent, backlog=backlog, refused=refused, **since)
            if errors:
                raise errors[0]
    except LockedError as error:
        if report.clouds:
            click.echo("sending is left to the run that is under way", err=True)
        else:
            report.errors.append(error)
    except AgentError as error:
        report.errors.append(error)


def send_to(
    configuration: Configuration,
    store: Store,
    chosen: Sequence[str],
    instead: Optional[Transport],
    report: Report,
) -> List[AgentError]:
    """Serve the chosen destinations one after the other; one that fails does not keep the others waiting."""
    settings = configuration.room(AccountingSettings)
    errors: List[AgentError] = []
    for name in chosen_destinations(settings, chosen):
        destination = settings.destinations[name]
        with store.read() as connection:
            silent = [cloud for cloud in configuration.clouds if name not in streams(connection, cloud)]
        if silent and settings.first_run is None:
            errors.append(first_run_is_open(silent[0]))
        done = Delivered()
        try:
            if instead is None and not destination.send:
                continue
            transport = instead or open_transport(destination)
            with progress(f"messages to {name}") as bar:
                deliver(
                    store,
                    name,
                    transport,
                    limits_of(settings, destination),
                    preferred_peers(destination),
                    clock.now,
                    lambda messages, bar=bar: bar(messages, None),  # type: ignore[misc]
                    done,
                )
        except AgentError as error:
            errors.append(error)
        if done.refused:
            errors.append(_set_aside(name, done.refused))
        report.destinations[name] = {
            "messages": done.messages,
            "records": done.records,
            "refused": done.refused,
            "split": done.split,
            "damaged": done.damaged,
            "sent_again": done.sent_again,
            "republished": done.republished,
        }
    return errors


def _set_aside(destination: str, refused: Sequence[str]) -> RefusedError:
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return RefusedError(
        f"destination {destination}: a message was refused and set aside: {refused[0]}{more}",
        hint="'fedcloud-agent accounting show --rejected' names its records; the queue goes on without it, and "
        f"'fedcloud-agent accounting release --message {refused[0].split(':')[0]}' lets them leave in another",
    )
