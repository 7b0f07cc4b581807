"""One of the two directories on which a slapd of ours stands."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import List, Sequence
from urllib.parse import quote

from fedcloud_agent import durable
from fedcloud_agent.errors import CannotCreateError, ConfigurationError, StorageError

NAMES = ("a", "b")
_LONGEST = 107
"""How long the name of a socket may be: the kernel's limit."""
_PATIENCE = 10.0


class Side:
    """Everything that belongs to one slapd: its configuration, databases, process id and socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.configuration = path / "slapd.conf"
        self.schema = path / "infosys.schema"
        self.tree = path / "glue"
        self.statistics = path / "infosys"
        self.pidfile = path / "slapd.pid"
        self.argsfile = path / "slapd.args"
        self.socket = path / "ldapi"

    @property
    def ldapi(self) -> str:
        """The URL by which the agent itself writes."""
        return f"ldapi://{quote(str(self.socket), safe='')}"

    def check(self) -> None:
        """Raise ConfigurationError where no socket can have its place here."""
        if len(os.fsencode(self.socket)) > _LONGEST:
            raise ConfigurationError(
                f"{self.socket} is too long for the name of a socket ({_LONGEST} bytes)",
                hint="choose a shorter directories.state",
            )

    def make(self) -> None:
        """Make it anew and empty. Raises CannotCreateError, StorageError."""
        self.remove()
        for path in (self.path, self.tree, self.statistics):
            durable.make_directory(path, mode=0o700)

    def write(self, configuration: str, schema: str) -> None:
        """Write what slapd reads at its start."""
        for path, text in ((self.schema, schema), (self.configuration, configuration)):
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise CannotCreateError(
                    f"{path} cannot be written: {error.strerror}", hint="check the space and who owns the directory"
                ) from error

    def is_loaded(self, configuration: str) -> bool:
        """Tell whether databases lie here that this very configuration was made for."""
        try:
            same = self.configuration.read_text(encoding="utf-8") == configuration
        except (OSError, UnicodeError):
            return False
        return same and all((place / "data.mdb").is_file() for place in (self.tree, self.statistics))

    def remove(self) -> None:
        """Remove it with all that is in it. Raises StorageError."""
        try:
            # shutil could do it; to import it takes a third of a bare start
            for above, directories, files in os.walk(self.path, topdown=False):
                for name in files:
                    Path(above, name).unlink()
                for name in directories:
                    Path(above, name).rmdir()
            self.path.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StorageError(
                f"{error.filename or self.path} cannot be removed: {error.strerror}", hint="check who owns it"
            ) from error


def holders(sides: Sequence[Side]) -> List[int]:
    """Return the processes of slapd, or of its tools, that work on any of these sides, whoever started them."""
    # by its arguments, which name a side: a number in a file may belong to somebody else by now
    named = {os.fsencode(side.configuration) for side in sides}
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):  # of another user, or gone meanwhile
                argv = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                if argv[0].rpartition(b"/")[2] in (b"slapd", b"slapadd") and not named.isdisjoint(argv):
                    found.append(int(entry))
    return found


def free(sides: Sequence[Side]) -> List[int]:
    """End whatever works on these sides: ask, wait, then force. Returns the processes that did. Raises StorageError."""
    pids = alive = holders(sides)
    until = time.monotonic() + _PATIENCE
    number = signal.SIGTERM
    while alive:
        for pid in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        time.sleep(0.005)
        alive = holders(sides)
        if alive and time.monotonic() > until:
            if number == signal.SIGKILL:
                raise StorageError(
                    f"process {alive[0]} works on {sides[0].path.parent} and cannot be ended",
                    hint="end it, then start again",
                )
            number, until = signal.SIGKILL, time.monotonic() + _PATIENCE
    return pids
