"""A real OpenSSH server on loopback, with one key that may run one command."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path
from typing import List, Mapping

from tests.federation.controller import Controller


class Sshd(Controller):
    """``forced``: the command that the key runs, whatever is asked for."""

    name = "sshd"

    def __init__(self, directory: Path, forced: str) -> None:
        super().__init__(directory)
        self.forced = forced
        self.key = directory / "id"

    def prepare(self) -> None:
        for name in ("host", "id"):
            if not (self.directory / name).exists():
                subprocess.run(
                    [
                        "ssh-keygen",
                        "-q",
                        "-t",
                        "ed25519",
                        "-N",
                        "",
                        "-C",
                        "perunv3@engine",
                        "-f",
                        str(self.directory / name),
                    ],
                    check=True,
                    timeout=30,
                )
        public = (self.directory / "id.pub").read_text()
        quoted = self.forced.replace("\\", "\\\\").replace('"', '\\"')
        (self.directory / "authorized_keys").write_text(f'restrict,from="127.0.0.1",command="{quoted}" {public}')
        (self.directory / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\n"
            f"HostKey {self.directory / 'host'}\n"
            f"AuthorizedKeysFile {self.directory / 'authorized_keys'}\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "PermitRootLogin forced-commands-only\nLogLevel VERBOSE\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def command(self) -> List[str]:
        return ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.directory / "sshd_config")]

    def push(self, archive: bytes, *asked: str, options: Mapping[str, str] = {}) -> subprocess.CompletedProcess[bytes]:
        """Push an archive as Perun's engine does, and return what comes back."""
        given = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "no",
            "GSSAPIAuthentication": "no",
            "ConnectTimeout": "5",
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "LogLevel": "ERROR",
            **options,
        }
        words = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
        return subprocess.run(
            [
                "ssh",
                "-F",
                "none",
                *words,
                "-i",
                str(self.key),
                "-p",
                str(self.port),
                f"{getpass.getuser()}@127.0.0.1",
                *asked,
            ],
            input=archive,
            capture_output=True,
            timeout=120,
            check=False,
        )
