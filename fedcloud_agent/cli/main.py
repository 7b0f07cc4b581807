"""The door: global options, the table of nouns, and how an error becomes words and an exit code.

A noun's module is imported only when it is used, so that ``--help`` and completion stay cheap.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Dict, List, Optional, Tuple

import click

from fedcloud_agent import __version__
from fedcloud_agent.cli.context import Context
from fedcloud_agent.errors import AgentError

NOUNS: Dict[str, Tuple[str, str]] = {
    "accounting": (
        "fedcloud_agent.cli.accounting.group:accounting",
        "Extract usage, send records, show what was sent.",
    ),
    "clouds": (
        "fedcloud_agent.cli.clouds:clouds",
        "List the kinds of clouds that are installed, and those configured.",
    ),
    "config": ("fedcloud_agent.cli.config:config", "Check the configuration and show where each value comes from."),
    "daemon": ("fedcloud_agent.cli.daemon:daemon", "Run every loop on its schedule; what systemd starts."),
    "infosys": (
        "fedcloud_agent.cli.infosys.group:infosys",
        "Show and check what the site publishes of its clouds.",
    ),
    "status": ("fedcloud_agent.cli.status:status", "Tell how each loop fares, whether the daemon runs or not."),
    "users": ("fedcloud_agent.cli.users.group:users", "Keep the accounts of a cloud as Perun lists its users."),
}


class Nouns(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> List[str]:
        """Return the nouns in alphabetical order."""
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        """Import the module of one noun."""
        if cmd_name not in NOUNS:
            return None
        module, _, attribute = NOUNS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of nouns from what is known without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, NOUNS[name][1]) for name in sorted(NOUNS)])


@click.command(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--config",
    "source",
    type=click.Path(),
    envvar="FEDCLOUD_AGENT_CONFIG",
    help="Directory of agent.yaml and conf.d (default: /etc/fedcloud-agent), or a snapshot file that the daemon wrote.",
)
@click.option("-v", "--verbose", count=True, help="Say more on standard error; twice: everything.")
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, source: Optional[str], verbose: int) -> None:
    """Join a cloud site to the EGI Federated Cloud.

    Each command does what the daemon does on its schedule, so whatever the journal shows can be repeated by hand.
    """
    from fedcloud_agent import log

    log.start(verbose)
    ctx.obj = Context(source, verbose)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command and return its exit code: 0, 2 for usage, 64 to 78 as sysexits.h, 1 for a bug of ours."""
    try:
        result = cli.main(arguments, prog_name="fedcloud-agent", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        print("fedcloud-agent: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AgentError as error:
        if not error.reported:
            print(f"fedcloud-agent: {error.message}", file=sys.stderr)  # noqa: T201
            if error.hint:
                print(f"  {error.hint}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        # the reader (less, head) has gone: that is its right, and Python must not complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
