"""The man pages, from the texts that --help and the tables of settings have.

``python -m fedcloud_agent.cli.man fedcloud-agent.8`` prints one; 'make generated' writes them to docs/man.
"""

from __future__ import annotations

import sys
from typing import Dict, Iterator, List, Optional, Type

import click

from fedcloud_agent import __version__, errors
from fedcloud_agent.cli.context import rooms
from fedcloud_agent.cli.main import cli
from fedcloud_agent.config import manual, roff
from fedcloud_agent.errors import AgentError
from fedcloud_agent.process import ProcessError

NAME = "fedcloud-agent"
PAGES = (f"{NAME}.8", f"{manual.NAME}.5")

_FILES = (
    ("/etc/fedcloud-agent/agent.yaml", "The configuration; see fedcloud-agent.conf(5)."),
    ("/etc/fedcloud-agent/conf.d/*.yaml", "Laid over it, in the order of their names."),
    ("/var/lib/fedcloud-agent", "What must survive: database, outcomes of the loops, accepted configuration."),
    ("/etc/grid-security/hostcert.pem, hostkey.pem", "The host certificate that signs messages, and its key."),
    ("/etc/grid-security/certificates", "The authorities that brokers are checked against."),
)
_ENVIRONMENT = (
    ("FEDCLOUD_AGENT_CONFIG", "The configuration directory, as --config."),
    ("_FEDCLOUD_AGENT_COMPLETE", "Prints a completion script: bash_source, zsh_source or fish_source."),
)


def page(name: str) -> str:
    """Return one of PAGES in roff."""
    release = f"{NAME} {__version__}"
    return manual.manual(rooms(), release) if name == PAGES[1] else commands(release)


def exit_codes() -> Dict[int, str]:
    """Return what each exit code means, as the errors that carry it say."""
    found = {0: "Done.", 1: "A fault of ours: a traceback stands on standard error."}
    classes: List[Type[AgentError]] = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AgentError)
    ]
    classes.append(ProcessError)
    for one in classes:
        if one is not AgentError:
            found[one.exit_code] = " ".join((one.__doc__ or "").split())
    found[130], found[143] = "Interrupted (Ctrl-C).", "Told to end (SIGTERM), or ended at its deadline."
    return dict(sorted(found.items()))


def commands(release: str) -> str:
    """Return the page of the command and all that is below it."""
    root = click.Context(cli, info_name=NAME)
    lines = [roff.title(NAME, 8, release, "System administration"), roff.head("Name")]
    lines.append(f"{roff.escaped(NAME)} \\- join a cloud site to the EGI Federated Cloud")
    lines += [roff.head("Synopsis"), f"{roff.bold(NAME)} [OPTIONS] COMMAND [ARGS]..."]
    lines += [roff.head("Description"), *roff.paragraphs(cli.help or "")]
    lines += [roff.head("Options"), *_options(cli, root), roff.head("Commands")]
    for context in _leaves(root):
        lines += _command(context)
    lines.append(roff.head("Exit status"))
    for code, text in exit_codes().items():
        lines += roff.term(roff.bold(str(code)), text)
    for heading, terms in (("Environment", _ENVIRONMENT), ("Files", _FILES)):
        lines.append(roff.head(heading))
        for term, text in terms:
            lines += roff.term(roff.bold(term), text)
    lines += [roff.head("See also"), "\\fBfedcloud\\-agent.conf\\fR(5), \\fBjournalctl\\fR(1)"]
    return "\n".join(lines) + "\n"


def _leaves(context: click.Context) -> Iterator[click.Context]:
    """Yield groups before their commands, so that what a group says is read first."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, info_name=name, parent=context)
        yield below
        if isinstance(command, click.Group):
            yield from _leaves(below)


def _command(context: click.Context) -> Iterator[str]:
    yield roff.subhead(" ".join([context.command_path, *context.command.collect_usage_pieces(context)]))
    yield from roff.paragraphs(context.command.help or "")
    yield from _options(context.command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            # click before 8.1 shows a range for what may be given again, and joins words without a blank
            words = record[1].replace("  [x>=0]", "").replace(";x>=", "; x>=")
            yield from roff.term(roff.bold(record[0]), words)


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the page that is named."""
    names = sys.argv[1:] if arguments is None else arguments
    if len(names) != 1 or names[0] not in PAGES:
        sys.stderr.write(f"usage: python -m fedcloud_agent.cli.man {{{','.join(PAGES)}}}\n")
        return 2
    sys.stdout.write(page(names[0]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
