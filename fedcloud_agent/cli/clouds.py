"""``fedcloud-agent clouds``: the kinds of clouds that are installed, and those configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.output import print_json, print_table
from fedcloud_agent.cli.recording import record
from fedcloud_agent.errors import AgentError, ConfigurationError

if TYPE_CHECKING:
    from fedcloud_agent.clouds.loading import Plugin
    from fedcloud_agent.config.configuration import CloudEntry, Configuration


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.option("--probe", is_flag=True, help="Log in to each configured cloud; exit with the code of the first failure.")
@click.pass_context
def clouds(call: click.Context, as_json: bool, probe: bool) -> None:
    """List the kinds of clouds that are installed, and those configured."""
    if call.invoked_subcommand is not None:
        return
    context: Context = call.obj
    from fedcloud_agent.clouds.loading import plugins

    installed = plugins()
    configuration: Optional[Configuration] = None
    fault: Optional[ConfigurationError] = None
    try:
        configuration = context.configuration
    except ConfigurationError as error:
        fault = error
    states, code = _states(configuration, installed, probe)
    if as_json:
        print_json({"types": [vars(plugin) for plugin in installed], "clouds": states})
    else:
        print_table(
            ["type", "distribution", "facets", "state"],
            [[p.type, p.distribution, ", ".join(p.facets), p.fault or "good"] for p in installed],
        )
        if states:
            click.echo()
            print_table(["cloud", "type", "state"], [[s["name"], s["type"], s["state"]] for s in states])
    if fault is not None:
        raise fault
    call.exit(code)  # what a group returns is lost before click 8.1


clouds.add_command(record)


def _states(
    configuration: Optional[Configuration], installed: List[Plugin], probe: bool
) -> Tuple[List[Dict[str, str]], int]:
    states: List[Dict[str, str]] = []
    code = 0
    if configuration is None:
        return states, code
    broken = {plugin.type: plugin.fault for plugin in installed if plugin.fault}
    for entry in configuration.clouds.values():
        state, failed = "good", 0
        if entry.type in broken:
            state = f"disabled: its plugin cannot be used: {broken[entry.type]}"
            failed = ConfigurationError.exit_code
        elif probe:
            state, failed = _probe(entry)
        code = code or failed
        states.append({"name": entry.name, "type": entry.type, "state": state})
    for name, faults in configuration.disabled.items():
        code = code or ConfigurationError.exit_code
        reasons = "; ".join(str(fault) for fault in faults)
        states.append({"name": name, "type": configuration.type_of(name), "state": f"disabled: {reasons}"})
    return states, code


def _probe(entry: CloudEntry) -> Tuple[str, int]:
    from fedcloud_agent.clouds.contract import ProbeFacet
    from fedcloud_agent.clouds.loading import open_cloud

    try:
        cloud = open_cloud(entry.type, entry.name, entry.settings)
        try:
            if not isinstance(cloud, ProbeFacet):
                return "good, cannot be probed", 0
            login = cloud.probe()
        finally:
            cloud.close()
    except AgentError as error:
        return f"failed: {error.message}" + (f" ({error.hint})" if error.hint else ""), error.exit_code
    return (
        f"good: logged in as {login.identity}, {login.view}, in {login.seconds:.1f} s, clock {login.clock_offset:+d} s",
        0,
    )
