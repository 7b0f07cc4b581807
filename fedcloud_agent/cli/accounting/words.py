"""What an extraction did, in words and in figures."""

from __future__ import annotations

from typing import Dict

import click

from fedcloud_agent.accounting.extraction import Extracted
from fedcloud_agent.cli.accounting.report import Report, count


def sentence_of(done: Extracted) -> str:
    """Return what an extraction did, in words."""
    got = done.collected
    words = [
        f"{count(got.new, 'new machine')}, {got.changed} changed, {got.unchanged} as before",
        f"{count(done.records, 'record')} made",
    ]
    if done.rejected:
        words.append(f"{done.rejected} set aside")
    if got.unreadable:
        words.append(f"{got.unreadable} not readable")
    if got.vanished:
        words.append(f"{len(got.vanished)} vanished")
    if got.held:
        words.append(f"{sum(got.held.values())} vanished and held back")
    if done.let_go:
        words.append(f"{count(done.let_go, 'machine')} of long ago let go")
    if done.first_run_open:
        words.append("no record made, since accounting.first_run is not set")
    return ", ".join(words)


def figures_of(done: Extracted) -> Dict[str, int]:
    """Return what an extraction did, in numbers."""
    got = done.collected
    return {
        "new": got.new,
        "changed": got.changed,
        "unchanged": got.unchanged,
        "unreadable": got.unreadable,
        "vanished": len(got.vanished),
        "held": sum(got.held.values()),
        "records": done.records,
        "rejected": done.rejected,
        "let_go": done.let_go,
    }


def note(cloud: str, done: Extracted, report: Report) -> None:
    """Keep what a cloud gave, and tell at once what a person has to hear."""
    problems = [f"{problem.subject}: {problem.reason}" for problem in done.problems]
    report.clouds[cloud] = {**figures_of(done), "problems": problems, "first_run_open": done.first_run_open}
    for problem in problems:
        click.echo(f"fedcloud-agent: cloud {cloud}: {problem}", err=True)
    for failure in done.failures[1:]:
        click.echo(f"fedcloud-agent: cloud {cloud}: {failure.message}", err=True)
    if done.rejected:
        click.echo(
            f"fedcloud-agent: cloud {cloud}: {count(done.rejected, 'record')} set aside; "
            "see 'fedcloud-agent accounting show --rejected'",
            err=True,
        )
