"""Sums as people and programs read them: a table, JSON, CSV, a chart."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import click

from fedcloud_agent.accounting.centre import Sum
from fedcloud_agent.accounting.chart import Chart, layers
from fedcloud_agent.accounting.summary import Line
from fedcloud_agent.clock import HOUR, month_name, utc
from fedcloud_agent.durable import write_whole

_HEADINGS = {"vo": "VO", "cpus": "CPUs"}


def table(lines: Sequence[Line], by: str) -> Tuple[Sequence[str], List[Sequence[str]]]:
    """Return columns and rows: hours, GB, and sums over machines as the portal has them."""
    several = len({line.destination for line in lines}) > 1
    columns = [
        *(("destination",) if several else ()),
        *("month", _HEADINGS.get(by, by), "VMs", "wall h", "elapsed x CPUs h", "cpu h", "CPUs", "memory GB", "disk GB"),
        *("in GB", "out GB", "elapsed x CPUs h, all arrived"),
    ]
    rows: List[Sequence[str]] = []
    for line in lines:
        shown = line.now
        rows.append(
            [
                *((line.destination,) if several else ()),
                *(month_name(line.month), line.label, str(shown.machines)),
                *(_hours(shown.wall), _hours(shown.processors / 1000), _hours(shown.cpu), f"{shown.cpu_count:g}"),
                *(f"{shown.memory / 1024:.1f}", str(shown.disk), str(shown.network_in), str(shown.network_out)),
                _hours(line.then.processors / 1000) if line.then != shown else "same",
            ]
        )
    return columns, rows


def notes(lines: Sequence[Line]) -> Iterator[str]:
    """Yield what one has to know to read the table."""
    assumed = sum(line.assumed for line in lines)
    if assumed:
        yield (
            f"{assumed} month{'s of a machine follow' if assumed == 1 else 's of machines follow'} a former tool's "
            "record (first_run: continue), which is taken to hold all usage until the month began."
        )


def as_json(line: Line, by: str) -> Dict[str, Any]:
    """Return one line for programs: durations in seconds, memory in MB, disk and network in GB."""
    return {
        "destination": line.destination,
        "month": month_name(line.month),
        by: line.label,
        "shown": _json(line.now),
        "once_all_arrived": _json(line.then),
        "assumed_former_records": line.assumed,
    }


def _json(one: Sum) -> Dict[str, Any]:
    return {
        "machines": one.machines,
        "wall_seconds": one.wall,
        "elapsed_processor_seconds": one.processors / 1000,
        "cpu_seconds": one.cpu,
        "cpu_count": one.cpu_count,
        "memory_mb": one.memory,
        "disk_gb": one.disk,
        "network_in_gb": one.network_in,
        "network_out_gb": one.network_out,
        "earliest_start": one.earliest_start,
        "latest_start": one.latest_start,
    }


def write_csv(file: str, lines: Sequence[Line], by: str) -> None:
    """Write the lines into a file, whole or not at all, or to standard output for ``-``. Raises as write_whole."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = ("vms", "wall_hours", "elapsed_processor_hours", "cpu_hours", "cpu_count", "memory_mb", "disk_gb")
    columns = (*figures, "network_in_gb", "network_out_gb")
    writer.writerow(["destination", "month", by, *columns, *(f"{column}_once_all_arrived" for column in columns)])
    for line in lines:
        writer.writerow([line.destination, month_name(line.month), line.label, *_csv(line.now), *_csv(line.then)])
    if file == "-":
        click.echo(text.getvalue(), nl=False)
    else:
        write_whole(Path(file), text.getvalue().encode("utf-8"), mode=0o644)


def _csv(one: Sum) -> List[str]:
    return [
        *(str(one.machines), _exact(one.wall), _exact(one.processors / 1000), _exact(one.cpu), f"{one.cpu_count:g}"),
        *(str(one.memory), str(one.disk), str(one.network_in), str(one.network_out)),
    ]


def chart_of(lines: Sequence[Line], by: str, site: str, now: int) -> Chart:
    """Return elapsed time x processors by month, the months without usage among them, stacked by label."""
    months = range(min(line.month for line in lines), max(line.month for line in lines) + 1)
    bars = tuple(month_name(month) for month in months)
    values = [
        (month_name(line.month), line.label, line.now.processors / 1000 / HOUR, line.then.processors / 1000 / HOUR)
        for line in lines
    ]
    what = {"vo": "VO", "cpus": "number of CPUs"}.get(by, by)
    return Chart(
        f"{site}: elapsed time x processors by {what}",
        f"As {lines[0].destination} has acknowledged it, {bars[0]} to {bars[-1]}, on {utc(now)}",
        "hours",
        bars,
        layers(bars, values),
    )


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR:.2f}"


def _exact(seconds: float) -> str:
    return f"{seconds / HOUR:.4f}"
