"""What the accounting commands tell of what they did: to people as they go, to programs at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List

import click

from fedcloud_agent.cli.output import print_json
from fedcloud_agent.errors import AgentError


@dataclass
class Report:
    """What a command did, for people and for programs; the first error decides the exit code."""

    clouds: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    destinations: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    more: Dict[str, Any] = field(default_factory=dict)
    """What a command has to tell besides."""
    errors: List[AgentError] = field(default_factory=list)

    def as_json(self) -> Dict[str, Any]:
        """Return the report as one document."""
        errors = [{"exit_code": e.exit_code, "message": e.message, "hint": e.hint} for e in self.errors]
        return {"clouds": self.clouds, "destinations": self.destinations, **self.more, "errors": errors}

    def finish(self, as_json: bool) -> None:
        """Print what a program asked for, name every error but the first, and raise the first, if there is any."""
        if as_json:
            print_json(self.as_json())
        if self.errors:
            for error in self.errors[1:]:
                if not error.reported:
                    click.echo(f"fedcloud-agent: {error.message}", err=True)
            raise self.errors[0]


def count(number: int, what: str) -> str:
    """Return a number of things in words: ``1 message``, ``2 messages``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
