"""``infosys diff``: in what a server differs from what we publish."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.infosys import options


@click.command()
@options.url
@options.base
@click.option("--times", is_flag=True, help="Compare creation times, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def diff(context: Context, url: Optional[str], base: Optional[str], times: bool, as_json: bool) -> int:
    """Compare the tree as it is meant to be with what a server holds: ours, a site BDII, or a Top (give its base).

    '-' is what the server lacks, '+' what only it has, '~' an attribute that differs. Exit code 65 when they differ.
    """
    from fedcloud_agent.cli.infosys.reading import own_url, tree
    from fedcloud_agent.cli.opening import state_of
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.errors import RemoteDataError, UsageError
    from fedcloud_agent.infosys.comparison import compare
    from fedcloud_agent.infosys.kept import Kept
    from fedcloud_agent.infosys.publication import Files

    state = state_of(context.configuration)
    kept = Kept(Files.below(state).tree)
    if kept.wanted() is None:
        raise UsageError("nothing was published yet", hint="run 'fedcloud-agent infosys publish' first")
    found = compare(kept, tree(url or own_url(state), base), base, times=times)
    if as_json:
        print_json([one._asdict() for one in found])
    else:
        for one in found:
            click.echo(f"{one.mark} {one.dn}")
            for name, (ours, theirs) in one.attributes.items():
                _print(name, ours, theirs)
        click.echo(_summary([one.mark for one in found]))
    return RemoteDataError.exit_code if found else 0


def _print(name: str, ours: Tuple[str, ...], theirs: Tuple[str, ...]) -> None:
    for value in ours:
        if value not in theirs:
            click.echo(f"    - {name}: {value}")
    for value in theirs:
        if value not in ours:
            click.echo(f"    + {name}: {value}")


def _summary(marks: List[str]) -> str:
    if not marks:
        return "no difference"
    words: Dict[str, str] = {"-": "missing", "+": "too many", "~": "different"}
    return "entries " + ", ".join(f"{word}: {marks.count(mark)}" for mark, word in words.items() if mark in marks)
