"""``fedcloud-agent daemon`` on a real configuration: which loops it makes of it, its reload, its size."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import psutil
import pytest

from fedcloud_agent import outcome
from fedcloud_agent.daemon import state as states
from tests.integration.test_daemon import MEGABYTE, DaemonOfLoops, eventually


class AgentDaemon(DaemonOfLoops):
    def write(self, more: str = "") -> None:
        etc = self.directory / "etc"
        etc.mkdir(exist_ok=True)
        lines = (
            "site: EXAMPLE-SITE",
            f"directories: {{state: {self.state}}}",
            f"accounting: {{destinations: {{c: {{type: directory, path: {self.directory}}}}}}}",
            more,
        )
        (etc / "agent.yaml").write_text("\n".join(lines) + "\n")

    def command(self) -> List[str]:
        return [sys.executable, "-m", "fedcloud_agent", "--config", str(self.directory / "etc"), "daemon"]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[AgentDaemon]:
    server = AgentDaemon(tmp_path)
    try:
        yield server
    finally:
        server.stop()
        server.channel.close()


def loops(daemon: AgentDaemon) -> Dict[str, Any]:
    now = states.read(daemon.state)
    return {outcome.key(p.loop, p.cloud): p.when for p in now.loops} if now else {}


def test_the_daemon_of_a_site(daemon: AgentDaemon) -> None:
    daemon.write()
    with daemon:
        assert loops(daemon) == {"accounting-send": "every 10min"}
        snapshot = states.snapshot_of(daemon.state)
        check = [sys.executable, "-m", "fedcloud_agent", "--config", str(snapshot), "config", "check"]
        assert subprocess.run(check, capture_output=True).returncode == 0, "a run can use the snapshot"

        before = snapshot.read_bytes()
        daemon.write(more="daemon: {stop_timeout: 3}")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.said("the new configuration is not used, the old one stays"))
        assert daemon.said("agent.yaml:4:24") and snapshot.read_bytes() == before

        daemon.write(more="daemon: {stop_timeout: 3s}")
        daemon.forget()
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.said("the configuration was read anew"))
        assert snapshot.read_bytes() != before

        # with everything that it ever reads, read three times
        eventually(lambda: (s := states.read(daemon.state)) and not s.running)
        assert daemon.process is not None
        used = psutil.Process(daemon.process.pid).memory_full_info()
        print(f"daemon of a site, idle: {used.pss / MEGABYTE:.1f} MiB PSS, {used.rss / MEGABYTE:.1f} MiB RSS")
        assert used.pss < 40_000_000


def test_a_move_of_the_state_needs_a_restart(daemon: AgentDaemon, tmp_path: Path) -> None:
    daemon.write()
    with daemon:
        state, daemon.state = daemon.state, tmp_path / "elsewhere"
        daemon.write()
        daemon.state = state
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.said("directories.state has changed, which needs a restart"))


def test_status_of_a_living_daemon(daemon: AgentDaemon) -> None:
    daemon.write()
    with daemon:
        command = [
            sys.executable,
            "-m",
            "fedcloud_agent",
            "--config",
            str(daemon.directory / "etc"),
            "status",
            "--json",
        ]
        told = json.loads(subprocess.run(command, capture_output=True).stdout)
        assert told["daemon"]["alive"] and [row["loop"] for row in told["loops"]] == ["accounting-send"]


def test_the_daemon_loads_nothing_that_only_its_runs_need(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("site: EXAMPLE-SITE\n")
    code = (
        "import sys; from pathlib import Path\n"
        "from fedcloud_agent import log; log.start()\n"
        "from fedcloud_agent.cli import daemon, loops; from fedcloud_agent.cli.context import Context, rooms\n"
        "from fedcloud_agent.config.loading import load\n"
        "from fedcloud_agent.daemon.daemon import Daemon\n"
        "Daemon(Path(sys.argv[1]), lambda: loops.loaded(load(Path(sys.argv[1]), rooms()), Path('s')))._load()\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.decode().split()}
    heavy = {
        "sqlalchemy",
        "alembic",
        "requests",
        "keystoneauth1",
        "stomp",
        "rich",
        "cryptography",
        "jsonschema",
        "psutil",
    }
    assert "apscheduler" in loaded and not heavy & loaded
