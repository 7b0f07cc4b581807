"""``fedcloud-agent status``: how each loop fares, from what it left in the state directory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.output import print_json, print_table
from fedcloud_agent.errors import AgentError, StorageError, TryAgainError

if TYPE_CHECKING:
    from fedcloud_agent.daemon.health import Row
    from fedcloud_agent.daemon.state import DaemonState


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def status(context: Context, as_json: bool) -> int:
    """Tell how each loop fares, whether the daemon runs or not.

    Exits with 0 when all is well, and with 75 when a loop failed or is overdue, the daemon does not run, a file is
    damaged, a part of the configuration is not in use, or nobody serves the tree that was published.
    """
    from fedcloud_agent import clock, outcome
    from fedcloud_agent.daemon import health
    from fedcloud_agent.daemon import state as states

    now = clock.now()
    directory = _state_directory(context)
    outcomes, damaged = outcome.read_all(directory)
    daemon: Optional[DaemonState] = None
    try:
        daemon = states.read(directory)
    except StorageError as error:
        damaged.append(str(error))
    alive = daemon is not None and daemon.alive
    rows = health.rows(daemon, alive, outcomes, now)
    well = alive and not damaged and not any(row.ill for row in rows)
    well = well and daemon is not None and not daemon.faults and daemon.fault is None
    served = _served(directory)
    well = well and (served is None or served.pid is not None)
    if as_json:
        print_json(
            {
                "well": well,
                "daemon": None if daemon is None else {**asdict(daemon), "alive": alive},
                "loops": [_as_json(row) for row in rows],
                "damaged": damaged,
                "infosys": None if served is None else served._asdict(),
            }
        )
    else:
        _print(daemon, alive, rows, damaged, now)
        if served is not None:
            click.echo()
            click.echo(served.sentence)
    return 0 if well else TryAgainError.exit_code


class Served(NamedTuple):
    """Whether the published tree is served: ``pid`` is the server's, None if there is none."""

    pid: Optional[int]
    port: Optional[int]
    since: Optional[int]

    @property
    def sentence(self) -> str:
        """Say it."""
        from fedcloud_agent import clock

        if self.pid is None or self.since is None:
            return "Nobody serves the published tree: see 'systemctl status fedcloud-agent-infosys'."
        return f"The published tree is served on port {self.port} since {clock.utc(self.since)} (process {self.pid})."


def _served(directory: Path) -> Optional[Served]:
    """Return how the tree is served, or None where nothing was published."""
    from fedcloud_agent.infosys.slapd import serving

    if not (directory / "infosys" / "tree.sqlite").exists():
        return None
    try:
        found = serving.read(serving.path_of(directory))
    except StorageError:
        found = None
    if found is None or not Path("/proc", str(found.pid)).exists():
        return Served(None, None, None)
    return Served(found.pid, found.port, found.started)


def _state_directory(context: Context) -> Path:
    from fedcloud_agent.config.settings import DirectoriesSettings

    try:
        return context.load().room(DirectoriesSettings).state
    except AgentError as error:
        # whoever mends a configuration wants to know how things are all the more
        directory = DirectoriesSettings().state
        click.echo(f"fedcloud-agent: {error.message}", err=True)
        click.echo(f"  so this is what {directory} tells", err=True)
        return directory


def _as_json(row: Row) -> Dict[str, object]:
    last = asdict(row.last) if row.last else None
    return {
        "loop": row.loop,
        "cloud": row.cloud,
        "verdict": row.verdict,
        "running_since": row.since,
        "next": row.next,
        "backlog": row.backlog,
        "last": last,
    }


def _print(daemon: Optional[DaemonState], alive: bool, rows: List[Row], damaged: List[str], now: int) -> None:
    from fedcloud_agent import clock

    if daemon is None:
        click.echo("The daemon has never run here.")
    elif alive:
        click.echo(f"The daemon runs since {clock.utc(daemon.started)} (process {daemon.pid}).")
    elif daemon.stopped is not None:
        click.echo(f"The daemon does not run: it was stopped at {clock.utc(daemon.stopped)}.")
    else:
        click.echo(f"The daemon does not run: it died after {clock.utc(daemon.written)}; see its journal.")
    if daemon is not None and daemon.fault:
        click.echo(f"A newer configuration is not in use: {daemon.fault}")
    for fault in daemon.faults if daemon is not None else ():
        click.echo(f"Left out: {fault}")
    for fault in damaged:
        click.echo(f"Damaged: {fault}")
    if rows:
        click.echo()
        print_table(
            ["loop", "state", "last run", "what it did", "backlog", "next run"], [_cells(row, now) for row in rows]
        )
    for row in rows:
        if row.last is not None and row.last.hint and not row.last.good:
            click.echo(f"{row.title}: {row.last.hint}")


def _cells(row: Row, now: int) -> List[str]:
    last = row.last
    words = "" if last is None else last.sentence if last.good else f"{last.error or ''} ({last.exit_code})"
    return [
        row.title,
        row.verdict if last is None or last.failures < 2 else f"{row.verdict}, {last.failures} times",
        "never" if last is None else f"{_span(now - last.finished)} ago, {last.seconds:.1f} s",
        words.partition("\n")[0],
        "" if row.backlog is None else f"{row.backlog:g}",
        f"since {_span(now - row.since)}" if row.since is not None else _ahead(row.next, now),
    ]


def _ahead(instant: Optional[int], now: int) -> str:
    if instant is None:
        return ""
    return f"in {_span(instant - now)}" if instant >= now else f"{_span(now - instant)} late"


def _span(seconds: int) -> str:
    """Return a span of time to two places: nobody wants to know more at a glance."""
    seconds = max(0, seconds)
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{seconds} s"
