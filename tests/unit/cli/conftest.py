from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Set

import pytest

STEAM_SETTINGS = """
from dataclasses import dataclass
from fedcloud_agent.clouds.settings import CloudSettings
from fedcloud_agent.settings import Integer, Secret, SecretFile, setting

@dataclass(frozen=True)
class SteamSettings(CloudSettings):
    '''A cloud of steam.'''

    pressure: int = setting(Integer(1, 9), help="How hot.")
    password_file: Secret = setting(SecretFile(), help="The password.", default=Secret("/etc/steam.secret"))
"""

STEAM_PLUGIN = """
from fedcloud_agent.clouds.contract import Cloud, Login, ProbeFacet
from fedcloud_agent.errors import RefusedError

class Steam(Cloud, ProbeFacet):
    cloud_type = "Steam"

    def probe(self):
        if self.settings.pressure > 8:
            raise RefusedError("the valve is shut", hint="open it")
        return Login("stoker", "the boiler room", 0.25, -2)

    @property
    def host(self) -> str:
        return "steam.example.org"

    def close(self):
        pass
"""

ENTRY_POINTS = """
[fedcloud_agent.clouds]
steam = steam_cloud.plugin:Steam
rusty = steam_cloud.nothing:Rusty
[fedcloud_agent.clouds.settings]
steam = steam_cloud.settings:SteamSettings
rusty = steam_cloud.nothing:RustySettings
"""

Agent = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """Run the command line in a process of its own, with a third party's plugins installed."""
    installed = tmp_path / "installed"
    (installed / "steam_cloud").mkdir(parents=True)
    (installed / "steam_cloud" / "__init__.py").touch()
    (installed / "steam_cloud" / "settings.py").write_text(STEAM_SETTINGS)
    (installed / "steam_cloud" / "plugin.py").write_text(STEAM_PLUGIN)
    information = installed / "steam_cloud-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: steam-cloud\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("FEDCLOUD_AGENT_CONFIG", None)

    def run(*arguments: object, modules: bool = False) -> subprocess.CompletedProcess[str]:
        code = "import sys; from fedcloud_agent.cli.main import main; code = main(); "
        if modules:
            code += "import json; sys.stderr.write(json.dumps(sorted(sys.modules))); "
        command = [sys.executable, "-c", code + "sys.exit(code)", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


def imported(answer: subprocess.CompletedProcess[str]) -> Set[str]:
    """Return the packages that a run with ``modules=True`` had imported at its end."""
    return {name.partition(".")[0] for name in json.loads(answer.stderr.splitlines()[-1])}
