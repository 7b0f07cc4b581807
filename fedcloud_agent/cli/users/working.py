"""What the users commands share: which lists concern a cloud, the plan that follows, and its doing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence, Tuple

import click

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError

if TYPE_CHECKING:
    from fedcloud_agent.clouds.contract import UsersFacet
    from fedcloud_agent.config.configuration import CloudEntry, Configuration
    from fedcloud_agent.store.engine import Store
    from fedcloud_agent.users.applying import Applied, Books
    from fedcloud_agent.users.delivery import Rules
    from fedcloud_agent.users.payloads import Payloads
    from fedcloud_agent.users.population import Population
    from fedcloud_agent.users.steps import Plan, Step

LOOP = "users"


class GuardHeldError(RefusedError):
    """The guard holds removals; a person has to look."""


class SomeFailedError(AgentError):
    """Some accounts could not be changed; the others were. The exit code is that of the first failure."""

    def __init__(self, failed: Sequence[Tuple[Step, AgentError]]) -> None:
        step, error = failed[0]
        super().__init__(f"{len(failed)} accounts could not be changed; {step.name}: {error.message}", hint=error.hint)
        self.exit_code = error.exit_code


class Planned(NamedTuple):
    """A plan, and what it was made of."""

    plan: Plan
    populations: Tuple[Population, ...]
    books: Books


def payloads_of(configuration: Configuration, store: Store) -> Payloads:
    """Return the archives that were taken."""
    from fedcloud_agent.cli.opening import state_of
    from fedcloud_agent.users.payloads import Payloads

    return Payloads(state_of(configuration) / "users" / "payloads", store)


def rules_of(configuration: Configuration) -> Rules:
    """Return which pushes are for us."""
    from fedcloud_agent.users.delivery import Rules
    from fedcloud_agent.users.settings import UsersSettings

    settings = configuration.room(UsersSettings)
    hosts = settings.hosts or (socket.getfqdn(),)
    return Rules(
        frozenset(host.lower() for host in hosts), frozenset(settings.facilities), frozenset(settings.denied_services)
    )


def cloud_of_facility(configuration: Configuration, facility: str) -> Optional[str]:
    """Return the cloud in which a facility's users get accounts, or None if there is none, or nobody said which."""
    from fedcloud_agent.users.settings import UsersSettings

    facilities = configuration.room(UsersSettings).facilities
    if facilities and facility not in facilities:
        return None
    named = facilities[facility].cloud if facility in facilities else None
    if named is not None:
        return named
    names = [*configuration.clouds, *configuration.disabled]
    return names[0] if len(names) == 1 else None


def entries_of(configuration: Configuration, names: Sequence[str], store: Store) -> List[CloudEntry]:
    """Return the clouds that facilities are served by, or those of them that are named."""
    from fedcloud_agent.users.settings import UsersSettings

    facilities = [*configuration.room(UsersSettings).facilities]
    facilities += [one.facility for one in payloads_of(configuration, store).all()]
    found: Dict[str, None] = {}
    for facility in facilities:
        cloud = cloud_of_facility(configuration, facility)
        if cloud is not None and (not names or cloud in names):
            found[cloud] = None
    for name in names:
        configuration.cloud(name)
    return [configuration.cloud(name) for name in found]


def planned(configuration: Configuration, entry: CloudEntry, cloud: UsersFacet, store: Store, run: str = "") -> Planned:
    """Return the plan that the newest lists make for a cloud. Raises what the cloud and the store raise."""
    from fedcloud_agent.clock import now
    from fedcloud_agent.users.archive import unpack
    from fedcloud_agent.users.books import StoredBooks
    from fedcloud_agent.users.delivery import Rules, accept
    from fedcloud_agent.users.planning import make_plan
    from fedcloud_agent.users.settings import UsersSettings

    payloads, books = payloads_of(configuration, store), StoredBooks(store, run, now)
    populations: Dict[str, Population] = {}
    for payload in payloads.all():
        if payload.facility in populations or cloud_of_facility(configuration, payload.facility) != entry.name:
            continue
        delivery = accept(unpack(payloads.read(payload)), Rules(frozenset(), frozenset({payload.facility})))
        populations[payload.facility] = delivery.population(payload.received)
    listed = tuple(populations.values())
    rules = configuration.room(UsersSettings).policy()
    plan = make_plan(entry.name, cloud.accounts(), books.rows(entry.name), listed, rules, books.bases(entry.name))
    return Planned(plan, listed, books)


def run_users(
    configuration: Configuration, entry: CloudEntry, store: Store, confirmed: Optional[str] = None
) -> Tuple[Plan, str]:
    """Apply the newest lists to a cloud, as a run of its loop; return the plan and the sentence about it.

    Raises GuardHeldError and SomeFailedError after everything else was done.
    """
    from fedcloud_agent.cli.opening import cloud_of, state_of
    from fedcloud_agent.cli.running import run_of
    from fedcloud_agent.clouds.contract import UsersFacet
    from fedcloud_agent.users.applying import apply

    with run_of(state_of(configuration), LOOP, entry.name) as told, cloud_of(entry, UsersFacet) as cloud:
        assert isinstance(cloud, UsersFacet)
        plan, _, books = planned(configuration, entry, cloud, store, told.run)
        if confirmed is not None and confirmed != plan.id:
            raise RefusedError(
                f"the plan is not {confirmed} any more, but {plan.id}", hint="look at 'fedcloud-agent users plan' again"
            )
        applied = apply(plan, cloud, books, confirmed)
        sentence = sentence_of(plan, applied, confirmed is not None)
        told.tell(sentence, accounts=len(plan.steps), failed=len(applied.failed), **applied.done)
        for step, error in applied.failed[1:]:
            click.echo(f"fedcloud-agent: account {step.name}: {error.message}", err=True)
        if applied.failed:
            raise SomeFailedError(applied.failed)
        if plan.held and confirmed is None:
            raise held_error(plan)
    return plan, sentence


def sentence_of(plan: Plan, applied: Applied, confirmed: bool) -> str:
    """Return what was done, in words with counts."""
    parts = [f"{count} x {action}" for action, count in sorted(applied.done.items()) if action != "note"]
    held = sum(step.action == "hold" for step in plan.steps)
    if plan.held and not confirmed:
        parts.append(f"{sum(step.guarded for step in plan.steps)} removals held by the guard (plan {plan.id})")
    return f"{', '.join(parts) or 'no change'}; {len(plan.steps)} accounts looked at, {held} held"


def held_error(plan: Plan) -> GuardHeldError:
    """Return the error that says what the guard holds, and how it is released."""
    places = "; ".join(
        f"{guard.vo} at {guard.facility} would lose {guard.losers} of {guard.owned} active accounts"
        for guard in plan.guards
    )
    return GuardHeldError(
        f"too many people are missing: {places}. Nobody of these VOs was removed",
        hint=f"if they did leave: 'fedcloud-agent users apply --cloud {plan.cloud} --confirm {plan.id}'",
    )


def no_lists() -> ConfigurationError:
    """Return the error for commands that have nothing to work on."""
    return ConfigurationError(
        "no facility is configured, and no list of one was pushed",
        hint="name it below users.facilities, and let Perun push to 'fedcloud-agent users receive'",
    )
