"""A box with one simulated cloud, and the agent's own command on it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Dict, List

from bench import child
from bench.child import Cost
from tests.federation.box import Box


class Site:
    """A box without a broker, whose cloud holds ``size`` live machines. Subclasses let them be there."""

    patience = 900.0
    """Seconds that a first extraction may take."""

    def __init__(self, directory: Path, size: int, **box: Any) -> None:
        self.directory = directory
        self.size = size
        self.box = Box(directory / "box", broker=False, **box)

    def __enter__(self) -> Any:
        self.box.__enter__()
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        self.box.__exit__(None, None, None)

    def fill(self) -> None:
        """Let there be machines."""
        raise NotImplementedError

    @property
    def command(self) -> List[str]:
        """The command that is measured."""
        return [*self.box.agent_command(), "accounting", "extract"]

    @property
    def environment(self) -> Dict[str, str]:
        """The environment of the agent's processes."""
        return self.box.agent_environment()

    def forget(self) -> None:
        """Remove the agent's state, so that the next extraction is a first one."""
        shutil.rmtree(self.box.state, ignore_errors=True)

    def extract(self) -> Cost:
        """Extract from the cloud, and see that every machine got there."""
        cost = child.run(self.command, self.environment, self.patience)
        if f"{self.size} new machines, 0 changed, 0 as before, " not in cost.output:
            raise RuntimeError(f"that was no first extraction of {self.size} machines:\n{cost.output}")
        return cost
