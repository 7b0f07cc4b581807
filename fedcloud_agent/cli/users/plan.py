"""``users plan``: what would be done, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.users import options

if TYPE_CHECKING:
    from fedcloud_agent.users.steps import Plan, Step


@click.command()
@options.clouds
@options.json
@click.option("--all", "everything", is_flag=True, help="Show also the accounts that stay as they are.")
@click.pass_obj
def plan(context: Context, clouds: Tuple[str, ...], as_json: bool, everything: bool) -> None:
    """Tell what the newest lists would change, with the reason. Changes nothing.

    JSON has every account, also those that stay as they are. Removals that the guard holds are marked; the id of the
    plan is what 'users apply --confirm' takes.
    """
    from fedcloud_agent.cli.opening import cloud_of, store_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.cli.users.working import entries_of, no_lists, planned
    from fedcloud_agent.clouds.contract import UsersFacet

    plans = []
    with store_of(context.configuration) as store:
        for entry in entries_of(context.configuration, clouds, store):
            with cloud_of(entry, UsersFacet) as cloud:
                assert isinstance(cloud, UsersFacet)
                plans.append(planned(context.configuration, entry, cloud, store).plan)
    if not plans and not clouds:
        raise no_lists()
    if as_json:
        print_json({one.cloud: as_document(one) for one in plans})
        return
    for one in plans:
        print_table(
            ("action", "account", "vo", "person", "why"), [_line(s) for s in one.steps if everything or _told(s)]
        )
        for guard in one.guards:
            click.echo(
                f"guard: {guard.vo} at {guard.facility}: {guard.losers} of {guard.owned} active accounts would be "
                f"lost, {guard.listed} members are listed"
            )
        for notice in one.notices:
            click.echo(f"notice: {notice.event}: {notice.words}")
        click.echo(f"plan {one.id} of {one.cloud}: {len(one.due())} changes, {len(one.steps)} accounts")


def as_document(one: Plan) -> Dict[str, Any]:
    """Return a plan for programs. It holds subjects and mails of those whose account changes."""
    return {
        "id": one.id,
        "cloud": one.cloud,
        "as_of": one.as_of,
        "guards": [guard._asdict() for guard in one.guards],
        "notices": [notice._asdict() for notice in one.notices],
        "steps": [step_document(step) for step in one.steps],
    }


def step_document(step: Step) -> Dict[str, Any]:
    """Return a step for programs."""
    wanted = step.wanted
    return {
        "action": step.action,
        "guarded": step.guarded,
        "account": step.account.id if step.account is not None else None,
        "name": step.name,
        "vo": step.vo,
        "person": step.person,
        "reason": step.reason,
        "words": step.words,
        "fields": list(step.fields),
        "wanted": wanted.content._asdict() if wanted is not None and step.changes else None,
    }


def _told(step: Step) -> bool:
    return step.changes or step.action == "hold"


def _line(step: Step) -> Tuple[str, ...]:
    action = f"{step.action} (guard)" if step.guarded else step.action
    return action, step.name, step.vo, step.person or "", step.words
