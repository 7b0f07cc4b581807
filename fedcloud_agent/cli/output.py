"""How commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
import sys
from typing import List, Sequence

import click


def print_json(value: object) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a character, as JSON and undecodable bytes may hold it
        text = json.dumps(value, indent=2, default=str)
    click.echo(text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: framed on a terminal; in a pipe or file plain columns, never cut."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns)
        for row in rows:
            # as Text, because rich takes brackets in a plain string for its own markup
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        Console().print(table)
        return
    for line in plain_table(columns, rows):
        click.echo(line)


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    """Return the lines of a table in plain columns."""
    lines: List[Sequence[str]] = [[column.upper() for column in columns], *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
