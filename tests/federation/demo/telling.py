"""How the demo speaks: one line for each thing that happens, in colour on a terminal; and the table at the end."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.federation.demo.books import Month

_STYLES = {
    "OpenStack": "cyan",
    "OpenNebula": "blue",
    "agent": "green",
    "central": "magenta",
    "ams": "magenta",
    "trouble": "yellow",
}
_INDENT = 30
"""Of what is said: behind the time and the speaker."""

_WIDTH = 118
"""Of lines in a pipe or file; a terminal says its own width."""


class Teller:
    """Writes the story on standard output."""

    def __init__(self) -> None:
        self._console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
        self._tick, self._cross = ("✓", "✗") if self._writes("✓✗") else ("equal", "WRONG")
        self._begin = time.monotonic()

    def _writes(self, text: str) -> bool:
        try:
            text.encode(self._console.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def heading(self, text: str) -> None:
        """Begin a chapter."""
        self._console.print()
        self._console.print(Text(text, style="bold"))

    def remark(self, text: str) -> None:
        """Say something that belongs to nobody."""
        self._console.print(Text(text, style="dim"))

    def say(self, instant: int, who: str, text: str) -> None:
        """Tell what somebody does or says at an instant of the story."""
        stamp = time.strftime("%Y-%m-%d %H:%M", time.gmtime(instant))
        lines = textwrap.wrap(text, max(40, self._console.width - _INDENT)) or [""]
        line = Text.assemble((stamp, "dim"), f"{'':2}", (f"{who:12}", _STYLES.get(who, "")), lines[0])
        self._console.print(line, soft_wrap=True)
        for more in lines[1:]:
            self._console.print(Text(" " * _INDENT + more), soft_wrap=True)

    def quote(self, command: str, output: str, exit_code: int) -> None:
        """Show a command as a person types it, and what it answers."""
        self._console.print()
        self._console.print(Text(f"  $ {command}", style="bold"))
        for line in output.rstrip().splitlines():
            self._console.print(Text(f"  {line}"), soft_wrap=True)
        if exit_code:
            self._console.print(Text(f"  (exit code {exit_code})", style="dim"))
        self._console.print()

    def verdict(self, months: Sequence[Month]) -> None:
        """Show the truth and the books side by side, in hours; they are compared to the second."""
        names = list(months[0].shown) if months else []
        table = Table(title="Hours as they were in the clouds, and as the monthly summary of each repository has them")
        for name in ("month", "VO", "cloud", "machines"):
            table.add_column(name, no_wrap=True)
        for kind in ("wall", "cpu"):
            for source in ("true", *names):
                table.add_column(f"{kind}\n{source}", justify="right")
        table.add_column("equal", justify="center")
        for month in months:
            sums = [month.true, *(month.shown[name] for name in names)]
            cells = [Text(text) for text in (month.name, month.vo, month.cloud, str(month.machines))]
            cells += [Text(_hours(one.wall)) for one in sums] + [Text(_hours(one.cpu)) for one in sums]
            good = Text(self._tick, style="bold green") if month.equal else Text(self._cross, style="bold red")
            table.add_row(*cells, good)
        self._console.print()
        self._console.print(table)

    def end(self, good: bool, text: str) -> None:
        """Say how it ended, and how long it took."""
        self._console.print(Text(text, style="bold green" if good else "bold red"))
        self._console.print(Text(f"{time.monotonic() - self._begin:.0f} seconds.", style="dim"))


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.2f}"
