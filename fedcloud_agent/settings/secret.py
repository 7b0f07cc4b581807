"""Secrets by reference: where one lies, never what it is."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.settings.kinds import AbsolutePath, Kind


@dataclass(frozen=True)
class Secret:
    """Where a secret lies; it is read when it is used, and never kept.

    ``source`` is an absolute path, or the name of a systemd credential (a file in $CREDENTIALS_DIRECTORY).
    """

    source: str

    @property
    def path(self) -> Path:
        """The file that holds the secret. Raises ConfigurationError if a credential was not handed to us."""
        if self.source.startswith("/"):
            return Path(self.source)
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise ConfigurationError(
                f"the systemd credential {self.source!r} is not there: CREDENTIALS_DIRECTORY is not set",
                hint=f"add LoadCredential={self.source}:/path to the unit, or give an absolute path",
            )
        return Path(directory) / self.source

    def read(self) -> str:
        """Return the secret without its final line break.

        Raises RefusedError when others than owner and group can read the file, ConfigurationError when it cannot be
        read or is empty.
        """
        path = self.path
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(65537)
        except OSError as error:
            raise ConfigurationError(
                f"the secret {path} cannot be read: {error.strerror}", hint="check that it exists and whose it is"
            ) from error
        if stat.S_IMODE(mode) & 0o007:
            raise RefusedError(
                f"the secret {path} can be read by others (mode {stat.S_IMODE(mode):04o})", hint=f"chmod o-rwx {path}"
            )
        text = data.decode("utf-8", "replace").rstrip("\r\n")
        if not text or len(data) > 65536:
            raise ConfigurationError(f"the secret {path} is {'empty' if not text else 'larger than 64 KiB'}")
        return text


class SecretFile(Kind[Secret]):
    """A secret by reference: an absolute path, or the name of a systemd credential."""

    expects = "the absolute path of a file that holds the secret, or the name of a systemd credential"
    brief = "a path, or the name of a systemd credential"
    secret = True

    def parse(self, value: object) -> Secret:
        """Take a path or a credential's name; the file is not opened here."""
        if isinstance(value, str) and value.startswith("/"):
            return Secret(str(AbsolutePath().parse(value)))
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError
        return Secret(value)

    def write(self, value: Secret) -> object:
        """Return the reference."""
        return value.source

    def mask(self, value: object) -> object:
        """Show a path; anything else may be a secret that was put here by mistake."""
        return value if isinstance(value, str) and value.startswith("/") else "***"

    def schema(self) -> Dict[str, object]:
        """Describe as a string."""
        return {"type": "string", "minLength": 1}
