"""Runs a recording as a cloud, and gives the settings with which a plugin reads it."""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Type

from fedcloud_agent.clouds.loading import settings_tables
from fedcloud_agent.recording.archive import manifest_of
from fedcloud_agent.recording.configured import restored
from fedcloud_agent.recording.instants import read
from tests.federation.controller import PythonServer


class Replay(PythonServer):
    """A recording in a server of its own. ``manifest`` is the recording's."""

    name = "replay"

    def __init__(self, directory: Path, recording: Path, port: Optional[int] = None) -> None:
        super().__init__(directory, port)
        self.recording = recording
        self.manifest: Dict[str, Any] = manifest_of(recording)

    def command(self) -> List[str]:
        """Return the argument list that starts the server."""
        own = ["--port", str(self.port), "--directory", str(self.directory / "bodies"), str(self.recording)]
        return [sys.executable, "-m", "tests.federation.replay", *own]

    @property
    def since(self) -> Optional[int]:
        """Since when the recording holds machines that ended; None: ever."""
        return None if self.manifest["since"] is None else read(self.manifest["since"])

    def document(self) -> Any:
        """Return the recorded settings as YAML has them, with this server as the cloud."""
        text = json.dumps(self.manifest["settings"])
        for number, origin in sorted(enumerate(self.manifest["origins"]), key=lambda pair: -len(pair[1])):
            text = text.replace(origin, f"http://127.0.0.1:{self.port}/{number}")
        return json.loads(text)

    def settings(self, table: Optional[Type[Any]] = None) -> Any:
        """Return the settings with which a plugin reads the recording."""
        files = {}
        for key, content in self.manifest["files"].items():
            files[key] = self.directory / f"{key}.json"
            files[key].write_text(content)
        chosen = table or settings_tables()[0][self.manifest["type"]]
        return restored(chosen, self.document(), files, self.secret())

    def secret(self) -> Path:
        """Write a file with a secret to log in with: the recording has none, and takes any."""
        path = self.directory / "secret"
        path.touch(mode=0o600)
        path.write_text("replayed\n")
        return path

    def missed(self) -> List[str]:
        """Return the requests to which the recording has no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/_missed")
            return list(json.loads(connection.getresponse().read()))
        finally:
            connection.close()
