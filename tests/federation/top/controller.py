"""The Top-BDII as a server of the federation in a box."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from fedcloud_agent.infosys.entry import Entry
from tests.federation.controller import Controller
from tests.federation.top import cycles
from tests.federation.top.cycles import Cycle
from tests.federation.top.directory import SUFFIX, search
from tests.federation.top.sources import DEADLINE, LIMIT

_ROOT = Path(__file__).resolve().parents[3]


class TopBdii(Controller):
    """A Top that reads ``sources`` (site name to GIIS URL), and waits ``interval`` seconds before it does so again.

    What no source has any more stays for ``delete_delay`` seconds. ``images`` asks without a filter, as Tops did for
    long; those of today leave images out. ``deadline`` (seconds) and ``limit`` (bytes) are for each source. It is ready
    after its first cycle, and begins with an empty tree whenever it is started.
    """

    name = "top"

    def __init__(
        self,
        directory: Path,
        sources: Mapping[str, str],
        *,
        interval: float = 1.0,
        delete_delay: float = 0.0,
        images: bool = False,
        deadline: float = DEADLINE,
        limit: int = LIMIT,
        port: Optional[int] = None,
    ) -> None:
        super().__init__(directory, port)
        self.interval, self.delete_delay, self.images = interval, delete_delay, images
        self.deadline, self.limit = deadline, limit
        self.poll(sources)

    @property
    def url(self) -> str:
        """Where clients ask it."""
        return f"ldap://127.0.0.1:{self.port}"

    def poll(self, sources: Mapping[str, str]) -> None:
        """Say which sites are read from the next cycle on."""
        temporary = self._sources.with_suffix(".new")
        temporary.write_text("".join(f"{name} {url}\n" for name, url in sources.items()))
        temporary.replace(self._sources)

    def cycles(self) -> List[Cycle]:
        """Return all cycles that have ended, over all its starts."""
        return cycles.read(self._log)

    def await_cycle(self, seconds: float = 60) -> Cycle:
        """Wait until a cycle has ended that begins after now, and return it."""
        now, deadline = time.time(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            for cycle in self.cycles():
                if cycle.began >= now:
                    return cycle
            time.sleep(0.05)
        raise AssertionError(f"no cycle of the Top ended within {seconds:g} s:\n{self.log.read_text()[-3000:]}")

    def entries(self, base: str = SUFFIX, filter: str = "(objectClass=*)") -> List[Entry]:
        """Return what it answers to anyone."""
        return search(self.url, base, filter)

    def prepare(self) -> None:
        """Forget that an earlier process was ready."""
        self._pid_file.unlink(missing_ok=True)

    def command(self) -> List[str]:
        """Run this package as a program."""
        return [
            *(sys.executable, "-m", "tests.federation.top", "--directory", str(self.directory / "slapd")),
            *("--port", str(self.port), "--sources", str(self._sources), "--log", str(self._log)),
            *("--interval", str(self.interval), "--delete-delay", str(self.delete_delay)),
            *("--deadline", str(self.deadline), "--limit", str(self.limit), "--pid-file", str(self._pid_file)),
            *(("--images",) if self.images else ()),
        ]

    def environment(self) -> Dict[str, str]:
        """Let Python find the package."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_ROOT / "plugins")])}

    def is_ready(self) -> bool:
        """Tell whether its first cycle has ended."""
        return (
            self.process is not None and self._pid_file.exists() and self._pid_file.read_text() == str(self.process.pid)
        )

    @property
    def _sources(self) -> Path:
        return self.directory / "sources"

    @property
    def _log(self) -> Path:
        return self.directory / "cycles.jsonl"

    @property
    def _pid_file(self) -> Path:
        return self.directory / "top.pid"
