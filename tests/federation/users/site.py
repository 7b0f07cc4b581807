"""A site with one cloud, to whose users Perun's lists lead. Every command is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

from tests.federation.users.push import Row, push

ROOT = Path(__file__).parents[3]
PERUN = "/opt/perun/bin/perun"

_ENTRY_POINTS = """
[fedcloud_agent.clouds]
file = tests.federation.users.file_cloud:FileCloud
[fedcloud_agent.clouds.settings]
file = fedcloud_agent.clouds.settings:CloudSettings
"""


class Site:
    def __init__(self, directory: Path) -> None:
        self.state, self.cloud = directory / "state", directory / "cloud.json"
        self.cloud.write_text(json.dumps({"accounts": {}, "groups": {"vo.a": "100", "vo.b": "101"}}))
        self.configuration = directory / "etc"
        self.configuration.mkdir()
        plugins = directory / "plugins"
        information = plugins / "file_cloud-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: file-cloud\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(_ENTRY_POINTS)
        self.environment = {"PYTHONPATH": f"{plugins}:{ROOT}", "FILE_CLOUD": str(self.cloud)}
        self.command = [sys.executable, "-m", "fedcloud_agent", "--config", str(self.configuration), "users"]
        self.configure()

    def configure(self, users: str = "{facilities: {SITE: {}}, hosts: [cloud.example.org]}") -> None:
        (self.configuration / "agent.yaml").write_text(
            f"site: EXAMPLE-SITE\nclouds:\n  main: {{type: file}}\nusers: {users}\n"
            f"directories: {{state: {self.state}}}\n"
        )

    def forced_command(self) -> List[str]:
        """Return what Perun's key may run."""
        return ["env", *(f"{name}={value}" for name, value in self.environment.items()), *self.command, "receive"]

    def run(self, *words: str, archive: bytes = b"", asked: Optional[str] = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        environment.pop("SSH_ORIGINAL_COMMAND", None)
        if asked is not None:
            environment["SSH_ORIGINAL_COMMAND"] = asked
        command = [*self.command, *words]
        done = subprocess.run(command, input=archive, env=environment, capture_output=True, timeout=120, check=False)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def receive(self, rows: Iterable[Row], **changes: Optional[bytes]) -> subprocess.CompletedProcess[str]:
        return self.run("receive", archive=push(rows, **changes), asked=PERUN)

    def accounts(self) -> Dict[str, bool]:
        """Return whether each account is active, by its name."""
        document = json.loads(self.cloud.read_bytes())
        return {name: active for _, name, active, *_ in document["accounts"].values()}

    def writes(self) -> int:
        return int(json.loads(self.cloud.read_bytes()).get("writes", 0))

    def document(self, *words: str) -> Any:
        answer = self.run(*words, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)
