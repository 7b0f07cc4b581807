"""``users explain``: why somebody has an account, or has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.users import options

if TYPE_CHECKING:
    from fedcloud_agent.users.explanation import Explanation


@click.command()
@click.argument("who")
@options.clouds
@options.json
@click.pass_obj
def explain(context: Context, who: str, clouds: Tuple[str, ...], as_json: bool) -> int:
    """Tell what Perun says of somebody, what follows from it, and what the cloud has.

    WHO is a subject in any spelling, an identifier of Check-in, an id or UID of Perun, or the name of an account. Exit
    code 65 when nobody is found.
    """
    from fedcloud_agent.cli.opening import cloud_of, store_of
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.cli.users.working import entries_of, planned
    from fedcloud_agent.clouds.contract import UsersFacet
    from fedcloud_agent.errors import RemoteDataError
    from fedcloud_agent.users.explanation import explain as explanations

    documents: List[Dict[str, Any]] = []
    with store_of(context.configuration) as store:
        for entry in entries_of(context.configuration, clouds, store):
            with cloud_of(entry, UsersFacet) as cloud:
                assert isinstance(cloud, UsersFacet)
                plan, populations, _ = planned(context.configuration, entry, cloud, store)
            documents += [_document(entry.name, one) for one in explanations(who, plan, populations)]
    if as_json:
        print_json(documents)
    else:
        for document in documents:
            _print(document)
    if not documents:
        click.echo("fedcloud-agent: nobody is known by that, neither to Perun's lists nor to our accounts", err=True)
    return 0 if documents else RemoteDataError.exit_code


def _document(cloud: str, one: Explanation) -> Dict[str, Any]:
    from fedcloud_agent.cli.users.plan import step_document

    return {
        "cloud": cloud,
        "person": one.person,
        "listed": [{"facility": facility, **told._asdict()} for facility, told in one.listed],
        "steps": [step_document(step) for step in one.steps],
        "notices": [notice.words for notice in one.notices],
    }


def _print(document: Dict[str, Any]) -> None:
    click.echo(f"{document['person']} in {document['cloud']}")
    for told in document["listed"]:
        click.echo(f"  listed at {told['facility']} for {told['vo']}: {told['state']} ({told['reason']})")
    if not document["listed"]:
        click.echo("  not listed")
    for step in document["steps"]:
        guarded = ", held by the guard" if step["guarded"] else ""
        click.echo(f"  account {step['name'] or '(none)'}: {step['action']}{guarded}: {step['words']}")
    for words in document["notices"]:
        click.echo(f"  notice: {words}")
