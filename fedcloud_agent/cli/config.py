"""``fedcloud-agent config``: check, show and explain the configuration."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, List, Optional

import click

from fedcloud_agent.cli.context import Context, rooms
from fedcloud_agent.cli.output import print_json, print_table
from fedcloud_agent.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.config.faults import Fault

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group()
def config() -> None:
    """Check the configuration and show where each value comes from."""


@config.command()
@_as_json
@click.pass_obj
def check(context: Context, as_json: bool) -> int:
    """Show every fault in its line, and whether the files of secrets can be used; exit with 78 if there is any.

    Nothing is contacted and nothing is changed.
    """
    from fedcloud_agent.config.faults import FaultyConfigurationError
    from fedcloud_agent.config.listing import secret_faults

    configuration: Optional[Configuration] = None
    try:
        configuration = context.load()
        faults = [fault for some in configuration.disabled.values() for fault in some]
        faults += secret_faults(configuration, os.environ)
    except FaultyConfigurationError as error:
        faults = error.faults
    if as_json:
        _check_json(configuration, faults)
    elif faults:
        _annotated(configuration, faults)
    else:
        assert configuration is not None
        click.echo(_good(configuration))
    return ConfigurationError.exit_code if faults else 0


def _check_json(configuration: Optional[Configuration], faults: List[Fault]) -> None:
    print_json(
        {
            "good": not faults,
            "usable": configuration is not None,
            "clouds": list(configuration.clouds) if configuration else [],
            "disabled": list(configuration.disabled) if configuration else [],
            "faults": [fault.as_json() for fault in faults],
        }
    )


def _annotated(configuration: Optional[Configuration], faults: List[Fault]) -> None:
    from fedcloud_agent.config.annotation import annotate

    for line in annotate(faults):
        click.echo(line)
    files = len({fault.origin.file for fault in faults})
    count = f"{_count(len(faults), 'fault')} in {_count(files, 'file')}"
    if configuration is None:
        click.echo(f"\n{count}. The agent does not start with this configuration.")
        return
    disabled = ", ".join(configuration.disabled)
    what = f" Disabled: {disabled}; everything else runs." if disabled else " What needs these secrets will fail."
    click.echo(f"\n{count}.{what}")


def _good(configuration: Configuration) -> str:
    clouds = configuration.clouds
    names = f" ({', '.join(clouds)})" if clouds else ""
    files = {node.origin.file for node in (configuration.root.mapping or {}).values()}
    return f"The configuration is good: {_count(len(clouds), 'cloud')}{names}, from {_count(len(files), 'file')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@config.command()
@click.argument("path", required=False)
@click.option("--defaults/--no-defaults", default=True, help="With or without what nobody has written (default: with).")
@_as_json
@click.pass_obj
def show(context: Context, path: Optional[str], defaults: bool, as_json: bool) -> int:
    """Show each value in force and the file and line that it comes from, or those below PATH (such as clouds.main)."""
    from fedcloud_agent.config.faults import nearest
    from fedcloud_agent.config.listing import rows
    from fedcloud_agent.config.nodes import dotted
    from fedcloud_agent.config.sample import flow

    listed = rows(context.configuration)
    if path is not None:
        asked = path.strip(".").replace('"', "")
        chosen = [row for row in listed if f"{'.'.join(row.path)}.".startswith(f"{asked}.")]
        if not chosen:
            known = {dotted(row.path[:n]) for row in listed for n in range(1, len(row.path) + 1)}
            near = nearest(path, sorted(known))
            raise UsageError(
                f"no setting is called {path!r}" + (f"; did you mean {near!r}?" if near else ""),
                hint="'fedcloud-agent config show' lists all of them",
            )
        listed = chosen
    listed = [row for row in listed if defaults or row.origin is not None]
    if as_json:
        print_json([row.as_json() for row in listed])
        return 0
    cells = []
    for row in listed:
        origin = "default" if row.origin is None else f"{row.origin.file}:{row.origin.line}"
        cells.append([dotted(row.path), "(not set)" if row.value is None else flow(row.value), origin])
    print_table(["setting", "value", "origin"], cells)
    return 0


@config.command()
def sample() -> None:
    """Print a commented agent.yaml: every key with its meaning, its default or an example."""
    from fedcloud_agent.config.sample import sample as text

    sys.stdout.write(text(rooms()))


@config.command()
def reference() -> None:
    """Print the reference page of all settings in Markdown."""
    from fedcloud_agent.config.reference import reference as text

    sys.stdout.write(text(rooms()))


@config.command()
def schema() -> None:
    """Print the JSON Schema of agent.yaml, for editors."""
    from fedcloud_agent.config.schema import schema as described

    print_json(described(rooms()))
