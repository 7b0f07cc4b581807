"""A whole federation around one site: CA, broker, central repository, its clouds, and the agent's own commands.

The agent and the clouds share one clock that stands still at what it is set to (:class:`Clock`, by libfaketime for the
agent's processes), so that months can pass; broker and repository live in real time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type

from tests.federation.ams import AmsSimulator
from tests.federation.authority import Authority, Credential
from tests.federation.broker import Broker
from tests.federation.central.controller import QUEUE, CentralRepository
from tests.federation.central.repository import Repository
from tests.federation.commands import Commands, cold
from tests.federation.controller import MODULES, Controller
from tests.federation.opennebula import OnedSimulator
from tests.federation.openstack.controller import OpenStackSimulator

SITE = "EXAMPLE-SITE"
VO = "vo.example.org"
PROJECT = "vo-example"
RIGHTS = "VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP/* USE *"
"""What an account of OpenNebula needs to see everything."""

USER = "/DC=org/DC=example/CN=Jane Doe"
_LIFE = (-3650 * 86400, 18000 * 86400)  # of certificates: a box may live through hundreds of months
_FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
_SLEEP = """# libfaketime answers Python's way to sleep, until an instant of the monotonic clock, with EINVAL
import select
import time


def sleep(seconds):
    select.select([], [], [], seconds)


time.sleep = sleep
"""


class Clock:
    """The time of the agent's processes: real until it is set, then it stands still at what was set."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self._python = directory / "python"
        self._python.mkdir(exist_ok=True)
        (self._python / "sitecustomize.py").write_text(_SLEEP)
        self.instant: Optional[int] = None

    def set(self, instant: int) -> None:
        """Set the time; processes that run see it at once."""
        self.instant = instant
        temporary = self._file.with_suffix(".new")
        temporary.write_text(time.strftime("%Y-%m-%d %H:%M:%S\n", time.gmtime(instant)))
        temporary.replace(self._file)

    def environment(self, path: str) -> Dict[str, str]:
        """Return the variables under which a process that finds its modules on ``path`` has this clock."""
        if self.instant is None:
            return {"PYTHONPATH": path}
        return {
            "PYTHONPATH": os.pathsep.join([str(self._python), path]),
            "LD_PRELOAD": str(_FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }


class AgentDaemon(Controller):
    """The agent's daemon, as systemd starts it."""

    name = "daemon"
    ready_seconds = 30.0

    def __init__(self, box: Box) -> None:
        super().__init__(box.directory / "daemon")
        self.box = box

    def command(self) -> List[str]:
        """Run the command that the unit has."""
        return [*self.box.agent_command(), "daemon"]

    def environment(self) -> Dict[str, str]:
        """Return the environment of the box."""
        return self.box.agent_environment()

    def is_ready(self) -> bool:
        """Tell whether it has written down its timetable."""
        state = self.box.state / "daemon.json"
        return state.exists() and self.process is not None and f'"pid": {self.process.pid}' in state.read_text()


class Box:
    """A federation in a directory. Use it as a context manager.

    ``cloud`` is an OpenStack (the agent's cloud ``main``) unless ``openstack`` is False, ``oned`` an OpenNebula (the
    agent's cloud ``one``) when ``opennebula`` names its profile. Each has one VO's project or group, and a user in it.

    ``settings`` are lines of YAML below ``accounting:`` (besides destinations), ``stomp`` lines of the destination,
    ``cloud_settings`` and ``oned_settings`` lines of the clouds. With ``ams`` there is a messaging service with a
    repository of its own behind it (``aggregator``), and a destination ``ams`` (``ams_settings`` are lines of it);
    without a broker that repository is the only one. The agent's account of OpenStack lists all projects at once, or
    with ``wide=False`` is a reader that lists its projects one by one; its account of OpenNebula sees everything by a
    rule (``rule``, for ``account``).
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: str = "first_run: backfill",
        stomp: str = "",
        cloud_settings: str = "",
        broker: bool = True,
        wide: bool = True,
        openstack: bool = True,
        opennebula: Optional[str] = None,
        oned_settings: str = "",
        ams: bool = False,
        ams_settings: str = "",
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.state = directory / "state"
        self.etc = directory / "etc"
        self.etc.mkdir(exist_ok=True)
        self.wide = wide
        self.clock = Clock(directory)
        self.openstack, self.opennebula = openstack, opennebula
        self.settings, self.stomp, self.ams_settings = settings, stomp, ams_settings
        self.cloud_settings, self.oned_settings = cloud_settings, oned_settings
        self.authority = Authority(directory / "ca")
        self.host: Credential = self.authority.host("agent.example.org", valid=_LIFE)
        self.cloud = OpenStackSimulator(directory / "openstack")
        self.oned = OnedSimulator(directory / "opennebula", opennebula or "6.10")
        self.account = self.rule = -1
        self.broker: Optional[Broker] = None
        if broker:
            shown = self.authority.host("broker.example.org", valid=_LIFE)
            self.broker = Broker(directory / "broker", self.authority, credential=shown)
        self.central: Optional[CentralRepository] = (
            CentralRepository(directory / "central", self.broker, [self.host.dn]) if self.broker else None
        )
        self.ams: Optional[AmsSimulator] = None
        self.aggregator: Optional[CentralRepository] = None
        if ams:
            shown = self.authority.host("ams.example.org", valid=_LIFE)
            clock = directory / "clock"
            self.ams = AmsSimulator(directory / "ams", self.authority, [self.host.dn], credential=shown, clock=clock)
            self.aggregator = CentralRepository(directory / "aggregator", self.ams, [self.host.dn])
            self.central = self.central or self.aggregator
        self._commands = Commands(directory / "commands")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Box:
        self._stack.callback(self._commands.close)
        servers = [self.broker, self.ams, self.central]
        for server in [*servers, *([self.aggregator] if self.aggregator is not self.central else [])]:
            if server is not None:
                self._stack.enter_context(server)
        if self.openstack:
            self._stack.enter_context(self.cloud)
            self._furnish_openstack()
        if self.opennebula:
            self._stack.enter_context(self.oned)
            self._furnish_opennebula()
        self.configure()
        return self

    def _furnish_openstack(self) -> None:
        self.cloud.create_project(PROJECT, VO=VO)
        self.cloud.create_flavor("small", 1, 2048, 20)
        self.cloud.create_flavor("large", 4, 8192, 80)
        self.cloud.create_user(USER, roles={PROJECT: ["member"]})
        admin = {self.cloud.admin_project: ["admin"]} if self.wide else {}
        roles = {"system": ["reader"], PROJECT: ["reader"], **admin}
        self.cloud.create_user("accounting", password="accounting-secret", roles=roles)

    def _furnish_opennebula(self) -> None:
        self.oned.latency(0, 0)
        self.oned.create_group(VO)
        self.oned.create_user("jane", groups=[VO], template={"X509_DN": USER})
        self.account = self.oned.create_user("accounting", password="accounting-secret")
        self.rule = self.oned.create_rule(f"#{self.account} {RIGHTS}")

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stack.close()

    def configure(self, **changed: str) -> None:
        """Write the agent's configuration; ``changed`` replaces ``settings``, those of a destination or of a cloud."""
        for name, text in changed.items():
            setattr(self, name, text)
        destinations: Dict[str, str] = {}
        if self.broker is not None:
            destinations["central"] = f"""
            type: stomp
            brokers: ["stomp+ssl://localhost:{self.broker.port}"]
            queue: {QUEUE}
            certificate: {self.host.certificate}
            key: {self.host.key}
            ca_path: {self.authority.anchors}
            """
        elif self.ams is None:
            outgoing = self.directory / "outgoing"
            outgoing.mkdir(exist_ok=True)
            destinations["central"] = f"""
            type: directory
            path: {outgoing}
            """
        if self.ams is not None:
            destinations["ams"] = f"""
            type: ams
            host: localhost
            port: {self.ams.port}
            authn_port: {self.ams.authn_port}
            certificate: {self.host.certificate}
            key: {self.host.key}
            ca_path: {self.authority.anchors}
            """
        own = {"central": self.stomp, "ams": self.ams_settings}
        lines = [
            f"site: {SITE}",
            f"directories: {{state: {self.state}, spool: {self.directory}/spool, runtime: {self.directory}/run}}",
            "clouds:",
            *(self._openstack_lines() if self.openstack else []),
            *(self._opennebula_lines() if self.opennebula else []),
            "accounting:",
            textwrap.indent(textwrap.dedent(self.settings), "  "),
            "  destinations:",
        ]
        for name, text in destinations.items():
            lines += [
                f"    {name}:",
                *(textwrap.indent(textwrap.dedent(t).strip(), "      ") for t in (text, own[name])),
            ]
        (self.etc / "agent.yaml").write_text("\n".join(line for line in lines if line.strip()) + "\n")

    def _openstack_lines(self) -> List[str]:
        project = [f"      project_name: {self.cloud.admin_project}", "      project_domain_id: default"]
        return [
            "  main:",
            "    type: openstack",
            "    service: cloud.example.org",
            "    auth:",
            f"      auth_url: {self.cloud.auth_url}",
            "      username: accounting",
            "      user_domain_id: default",
            f"      password_file: {self._secret('keystone')}",
            *(project if self.wide else []),
            textwrap.indent(textwrap.dedent(self.cloud_settings), "    "),
        ]

    def _opennebula_lines(self) -> List[str]:
        return [
            "  one:",
            "    type: opennebula",
            "    service: one.example.org",
            f"    endpoint: {self.oned.url}",
            f"    auth: {{username: accounting, password_file: {self._secret('oned')}}}",
            "    rights: granted",
            textwrap.indent(textwrap.dedent(self.oned_settings), "    "),
        ]

    def _secret(self, name: str) -> Path:
        path = self.etc / f"{name}.secret"
        path.touch(mode=0o600)
        path.write_text("accounting-secret\n")
        return path

    def set_clock(self, instant: int) -> None:
        """Set the time of the agent and of the clouds."""
        self.clock.set(instant)
        if self.openstack:
            self.cloud.set_clock(instant)
        if self.opennebula:
            self.oned.set_clock(instant)

    def agent_command(self) -> List[str]:
        """Return how the agent is started."""
        return [sys.executable, "-m", "fedcloud_agent", "--config", str(self.etc)]

    def agent_environment(self) -> Dict[str, str]:
        """Return the environment of the agent's processes."""
        return {**os.environ, **self.clock.environment(MODULES)}

    def agent(
        self, *words: str, before: Sequence[str] = (), check: bool = True, timeout: float = 120, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the agent, as a person would; ``before`` goes in front of it (strace, say).

        What has nothing in front of it and no variables of its own is run by :class:`Commands`.
        """
        environment = self.agent_environment()
        if before or more:
            done = cold([*before, *self.agent_command(), *words], {**environment, **more}, timeout)
        else:
            done = self._commands.run(self.agent_command(), words, environment, timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def daemon(self) -> AgentDaemon:
        """Return the daemon, not started yet."""
        return AgentDaemon(self)

    def create_server(self, **fields: Any) -> str:
        """Create a server of the VO's project and return its id."""
        entry: Mapping[str, Any] = {"project": PROJECT, "user": USER, "flavor": "small", **fields}
        return str(self.cloud.create_server(**entry))

    def create_vm(self, **fields: Any) -> int:
        """Create a machine of the VO's group in OpenNebula and return its id."""
        return self.oned.create_vm("jane", **fields)

    def lives(self) -> Dict[str, Any]:
        """Return what really happened to the machines of all clouds that ever ran, by VMUUID."""
        lives: Dict[str, Any] = dict(self.cloud.truth()) if self.openstack else {}
        for key, life in (self.oned.truth() if self.opennebula else {}).items():
            if life.runs:
                moment = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(life.created))
                uuid = f"{self.oned.url}/compute/{key} {moment}".lower()
                lives[uuid] = life._replace(id=uuid)  # type: ignore[arg-type]
        return lives

    def repository(self) -> Repository:
        """Open the central repository's database; close it afterwards."""
        assert self.central is not None
        return self.central.repository()

    def await_centre(self, messages: int, seconds: float = 60) -> None:
        """Wait until the repository has taken in so many messages, pings and refused ones included."""
        deadline = time.monotonic() + seconds
        while True:
            with self.repository() as repository:
                seen = len(repository.messages())
            if seen >= messages:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the repository has {seen} messages instead of {messages}")
            time.sleep(0.1)
