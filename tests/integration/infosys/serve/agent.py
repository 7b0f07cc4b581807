"""``infosys serve`` on loopback, with a state directory whose name is short enough for a socket."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.kept import Changes, Kept
from fedcloud_agent.infosys.slapd import serving
from fedcloud_agent.infosys.slapd.side import NAMES, Side, free, holders
from fedcloud_agent.ldap import Directory
from fedcloud_agent.ldap.greeting import NotLdapError, naming_contexts
from tests.federation.controller import Controller
from tests.unit.infosys.world import NOW

ROOT = Path(__file__).parents[4]
CLOUDS = {
    "main": {
        "type": "openstack",
        "auth": {
            "auth_url": "https://keystone.example.org:5000/v3",
            "username": "accounting",
            "user_domain_name": "Default",
            "password_file": "/etc/fedcloud-agent/keystone.secret",
        },
        "vos": {"vo.example.org": {"project": "vo-example"}, "ops": {"project": "egi-ops"}},
    }
}
HOST = "bdii.example.org"
DOMAIN = "GLUE2DomainID=EXAMPLE-SITE,o=glue"


def eventually(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    limit = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > limit:
            assert value, "it did not come to pass"
            return value
        time.sleep(0.01)


class Serve(Controller):
    """Ready is what systemd is told; whoever holds one of its sides is ended with it."""

    name = "serve"
    ready_seconds = 40.0

    def __init__(self, **settings: Any) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="serve-")))
        self.settings: Dict[str, Any] = {"host": HOST, "listen": ["127.0.0.1", "::1"], **settings}
        self.state = self.directory / "state"
        self.kept = Kept(self.state / "infosys" / "tree.sqlite")
        self.sides = {name: Side(self.state / "infosys" / name) for name in NAMES}
        self.clouds: Dict[str, Any] = CLOUDS
        self.extra: Dict[str, str] = {}
        self.before: List[str] = []
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(str(self.directory / "notify"))
        self.channel.setblocking(False)
        self.notices: List[str] = []

    def configure(self, **settings: Any) -> None:
        self.settings.update(settings)
        etc = self.directory / "etc"
        etc.mkdir(exist_ok=True)
        # JSON is YAML
        values = {
            "site": "EXAMPLE-SITE",
            "directories": {"state": str(self.state)},
            "clouds": self.clouds,
            "infosys": {"port": self.port, **self.settings},
        }
        (etc / "agent.yaml").write_text(json.dumps(values))

    def prepare(self) -> None:
        self.configure()
        self.heard()
        self.notices = []

    def command(self) -> List[str]:
        words = ["-m", "fedcloud_agent", "-v", "--config", str(self.directory / "etc"), "infosys", "serve"]
        return [*self.before, sys.executable, *words]

    def environment(self) -> Dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
            "NOTIFY_SOCKET": str(self.directory / "notify"),
            **self.extra,
        }

    def is_ready(self) -> bool:
        return any("READY=1" in notice for notice in self.heard())

    def heard(self) -> List[str]:
        while True:
            try:
                self.notices.append(self.channel.recv(65536).decode())
            except BlockingIOError:
                return self.notices

    def said(self, words: str) -> int:
        return self.log.read_text().count(words)

    def close(self) -> None:
        self.stop()
        free(list(self.sides.values()))
        self.channel.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---------------------------------------------------------------- what it serves

    def keep(self, load: str, entries: List[Entry]) -> None:
        """Do what a publisher does: write the tree down, and name the load that is wanted."""
        held = set(self.kept.held())
        dropped = tuple(sorted(held - {one.dn for one in entries}))
        self.kept.step(Changes(put=tuple(entries), dropped=dropped), NOW, {"wanted": load})

    @property
    def serving(self) -> serving.Serving:
        found = serving.read(serving.path_of(self.state))
        assert found is not None
        return found

    def url(self, host: str = "127.0.0.1") -> str:
        return f"ldap://[{host}]:{self.port}" if ":" in host else f"ldap://{host}:{self.port}"

    def anonymous(self, host: str = "127.0.0.1") -> Directory:
        return Directory(self.url(host))

    def writer(self) -> Directory:
        return Directory(self.serving.ldapi, external=True)

    def tree(self) -> List[Entry]:
        """Return the whole tree as any reader sees it."""
        with self.anonymous() as directory:
            return [Entry(*found) for found in directory.search("o=glue")]

    def answers(self) -> bool:
        try:
            return "o=glue" in naming_contexts(("127.0.0.1", self.port), timeout=5)
        except (OSError, NotLdapError):
            return False

    def silence(self, seconds: float = 20.0) -> float:
        """Return for how long nobody answers from now on, in seconds."""
        began = time.monotonic()
        eventually(self.answers, seconds)
        return time.monotonic() - began

    def slapds(self) -> List[int]:
        return holders(list(self.sides.values()))


def gone(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True
