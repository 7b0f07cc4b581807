"""A PostgreSQL server of its own: Debian's, as the unprivileged user that its package makes, trusting loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import List

from tests.federation.controller import Controller

_USER = "postgres"


class PostgreSQL(Controller):
    """A server with an empty database ``postgres``."""

    name = "postgresql"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (self._programs,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        self._data = directory / "data"
        self._data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._data, _USER)
            for above in (directory, *directory.parents):  # the server is not root, and has to get there
                if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
        subprocess.run(
            self._as_user("initdb", "--auth=trust", f"--username={_USER}", "--no-sync", "-D", str(self._data)),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )

    def _as_user(self, program: str, *words: str) -> List[str]:
        command = [str(self._programs / program), *words]
        if os.geteuid() != 0:
            return command
        return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *command]

    @property
    def url(self) -> str:
        """The database as SQLAlchemy names it."""
        return f"postgresql+psycopg2://{_USER}@127.0.0.1:{self.port}/postgres"

    def command(self) -> List[str]:
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        return self._as_user("postgres", "-D", str(self._data), "-p", str(self.port), *options)
