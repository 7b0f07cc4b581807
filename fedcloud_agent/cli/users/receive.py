"""``users receive``: what Perun's key may run, and all that it may run.

It speaks as the scripts do that Perun knows: the exit code, a summary on standard output, and nothing on standard error
unless a person should look.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Iterator, Optional

import click

from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.users.delivery import Delivery

COMMAND = "/opt/perun/bin/perun"
"""What Perun asks for; it means this command."""

_QUIET = ("dn-duplicate-same-user",)
"""What needs nobody's attention: one name, certified twice."""


@click.command()
@click.pass_obj
def receive(context: Context) -> int:
    """Take a list of users that Perun pushes over SSH, and apply it. The forced command of Perun's key.

    In authorized_keys: restrict,command="/usr/bin/fedcloud-agent users receive" ssh-rsa ... The archive comes on
    standard input. Exit codes are those of Perun's own scripts, and: 60 the guard holds removals, 61 malformed, 62 the
    cloud does not answer, 63 some accounts failed, 64 no cloud for this facility, 100 unknown platform.
    """
    import logging

    from fedcloud_agent.errors import AgentError

    # whatever stands on standard error makes a warning of a success
    logging.getLogger("fedcloud_agent").setLevel(logging.WARNING)
    logging.getLogger("fedcloud_plugins").setLevel(logging.WARNING)
    try:
        with _deadline(context):
            _receive(context.configuration)
    except AgentError as error:
        code = _code(error)
        _say("Info" if code == 0 else "Error", error.message, failed=code != 0)
        if error.hint and code:
            click.echo(f"  {error.hint}", err=True)
        return code
    return 0


def _receive(configuration: Configuration) -> None:
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.users.working import cloud_of_facility, payloads_of, rules_of, run_users
    from fedcloud_agent.clock import now
    from fedcloud_agent.users.archive import MOST_BYTES, unpack
    from fedcloud_agent.users.delivery import accept
    from fedcloud_agent.users.refusal import NO_CLOUD, NOT_FOR_US, PushError

    asked = os.environ.get("SSH_ORIGINAL_COMMAND", COMMAND)
    if asked != COMMAND:
        raise PushError(NOT_FOR_US, f"this key may ask for {COMMAND} alone")
    archive = sys.stdin.buffer.read(MOST_BYTES + 1)
    delivery = accept(unpack(archive), rules_of(configuration))
    instant = now()
    population = delivery.population(instant)
    name = cloud_of_facility(configuration, delivery.facility)
    if name is None:
        raise PushError(
            NO_CLOUD, f"no cloud is named for the facility {delivery.facility}", hint="see users.facilities"
        )
    entry = configuration.cloud(name)
    with store_of(configuration) as store:
        payloads_of(configuration, store).keep(archive, delivery, instant)
        plan, sentence = run_users(configuration, entry, store)
    _say("Info", f"{_title(delivery)}: {len(population.persons)} persons; {sentence}")
    if delivery.note:
        click.echo(f"Info: {delivery.note}")
    for notice in plan.notices:
        if notice.event in _QUIET:
            continue
        click.echo(f"Warning: {notice.event}: {notice.words}", err=True)


def _title(delivery: Delivery) -> str:
    run = f", run {delivery.run}" if delivery.run else ""
    return f"{delivery.service} for {delivery.facility}{run}"


def _say(kind: str, words: str, *, failed: bool = False) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {kind}: {words}", err=failed)


def _code(error: Exception) -> int:
    """Return the exit code by which Perun knows an error."""
    from fedcloud_agent.cli.users.working import GuardHeldError, SomeFailedError
    from fedcloud_agent.errors import AgentError, CannotCreateError, StorageError, TryAgainError, UnreachableError
    from fedcloud_agent.users import refusal

    codes = (
        (refusal.PushError, None),
        (GuardHeldError, refusal.GUARD_HELD),
        (SomeFailedError, refusal.SOME_FAILED),
        (UnreachableError, refusal.CLOUD_UNREACHABLE),
        (TryAgainError, refusal.BUSY),
        ((StorageError, CannotCreateError), refusal.DISK),
    )
    assert isinstance(error, AgentError)
    found = next((code for kinds, code in codes if isinstance(error, kinds)), None)
    return error.exit_code if found is None else found


@contextlib.contextmanager
def _deadline(context: Context) -> Iterator[None]:
    """End what takes longer than the site allows; a sender that stops in the midst would keep us for ever."""
    from fedcloud_agent.errors import TryAgainError
    from fedcloud_agent.users.settings import UsersSettings

    seconds = context.configuration.room(UsersSettings).deadline

    def end(number: int, frame: Optional[FrameType]) -> None:
        raise TryAgainError(f"it took longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
