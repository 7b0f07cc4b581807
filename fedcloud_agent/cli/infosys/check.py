"""``infosys check``: the rules of the federation's validator, over our tree or any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Iterable, Iterator, List, Optional, Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.infosys import options

if TYPE_CHECKING:
    from fedcloud_agent.infosys.rules.finding import Finding


@click.command()
@options.clouds
@options.offer
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="LDIF",
    help="Check this tree instead, as slapcat or 'ldapsearch -LLL' wrote it; '-' is standard input.",
)
@click.option(
    "--from-outside",
    "outside",
    is_flag=True,
    help="Check what readers get at the public address, read as a Top-BDII does; prints the URL to register.",
)
@click.option("--all", "everything", is_flag=True, help="Every breach, also those that are mere hints; not one a rule.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every breach.")
@click.pass_obj
def check(
    context: Context,
    clouds: Tuple[str, ...],
    offer: Optional[str],
    file: Optional[str],
    outside: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Judge what the clouds offer, before anything is set aside, by the rules of the federation's validator.

    Rules E, W and I are the validator's own; K are those of slapd and of readers. Exit code 65 when there is an error.
    """
    from fedcloud_agent.cli.output import print_json
    from fedcloud_agent.clock import now
    from fedcloud_agent.errors import RemoteDataError, UsageError
    from fedcloud_agent.infosys import glue20, ldif
    from fedcloud_agent.infosys.rules.inspection import inspect

    instant, code = now(), 0
    if (file is not None) + outside + bool(clouds or offer) > 1:
        raise UsageError(
            "--file and --from-outside say what is checked: only one of them, and neither --cloud nor --offer beside it"
        )
    if file is not None:
        entries = ldif.parse(_lines(file))
    elif outside:
        from fedcloud_agent.cli.infosys.outside import read

        entries = read(context.configuration)
    else:
        from fedcloud_agent.cli.infosys.asking import ask

        asked = ask(context.configuration, clouds, offer)
        code = asked.failure.exit_code if asked.failure is not None else 0
        entries = glue20.entries(asked.site(context.configuration, instant), instant)
    findings = inspect(entries, instant)
    if as_json:
        shown = list(findings)
        print_json([{**one._asdict(), "severity": one.severity} for one in shown])
        errors = sum(one.severity == "error" for one in shown)
    else:
        errors = _print(findings, everything)
    return code or (RemoteDataError.exit_code if errors else 0)


def _lines(file: str) -> Iterator[str]:
    from fedcloud_agent.errors import UsageError

    try:
        with click.open_file(file, encoding="utf-8", errors="replace") as text:
            yield from text
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _print(findings: Iterable[Finding], everything: bool) -> int:
    """Print findings and return how many errors there are among them."""
    from fedcloud_agent.cli.output import print_table
    from fedcloud_agent.infosys.rules.finding import ERROR, INFO, WARNING

    counts = {ERROR: 0, WARNING: 0, INFO: 0}
    rules: Dict[str, Tuple[int, Finding]] = {}
    rows: List[Tuple[str, ...]] = []
    for one in findings:
        counts[one.severity] += 1
        before, first = rules.get(one.rule, (0, one))
        rules[one.rule] = (before + 1, first)
        if everything:
            rows.append((one.rule, one.severity, one.dn, one.message))
    if everything:
        print_table(("rule", "severity", "entry", "what"), rows)
    else:
        order = {ERROR: 0, WARNING: 1, INFO: 2}
        chosen = sorted(rules.values(), key=lambda one: (order[one[1].severity], one[1].rule))
        print_table(
            ("rule", "severity", "times", "first entry", "what"),
            [
                (one.rule, one.severity, str(times), one.dn.partition(",")[0], one.message)
                for times, one in chosen
                if one.severity != INFO
            ],
        )
    click.echo(f"{counts[ERROR]} errors, {counts[WARNING]} warnings, {counts[INFO]} hints")
    return counts[ERROR]
