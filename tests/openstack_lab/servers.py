"""How each service of the lab runs: its command, its environment, and what it takes to be ready."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, List, Sequence

from tests.federation.controller import Controller
from tests.openstack_lab import packages, settings
from tests.openstack_lab.layout import HOST, Layout

PYTHON = "/usr/bin/python3"
"""Debian's own, for which Debian's OpenStack is installed; that of the tests may be another."""


def environment(layout: Layout) -> Dict[str, str]:
    """Return what a service inherits: nothing of the person's login to a cloud, proxies or Python."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": str(layout.directory("home")),
        "TMPDIR": str(layout.directory("tmp")),
        "PYTHONPATH": str(layout.directory("python")),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def program(module: str, name: str, function: str = "main") -> List[str]:
    """Return the command of a program whose script is in a package that is not installed."""
    return [
        PYTHON,
        "-c",
        f"import sys; sys.argv[0] = {name!r}; from {module} import {function} as main; sys.exit(main())",
    ]


class Service(Controller):
    """A server of the lab; ``name`` is that of its directory, its log and its port."""

    ready_seconds = 180.0

    def __init__(self, layout: Layout, name: str, port: str = "") -> None:
        self.layout = layout
        self.name = name
        super().__init__(layout.directory("run", name), layout.ports.get(port or name))

    def environment(self) -> Dict[str, str]:
        return environment(self.layout)


class MariaDB(Service):
    """The database server, with one user who may do everything."""

    databases = ("keystone", "placement", "glance", "neutron", "nova_api", "nova", "nova_cell0")

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, "mariadb")
        self.options = f"--defaults-file={layout.configuration('mariadb')}"

    def prepare(self) -> None:
        self.layout.configuration("mariadb").write_text(settings.render(settings.mariadb(self.layout)))
        data = self.layout.directory("mariadb") / "data"
        if data.exists():
            return
        subprocess.run(
            ["mariadb-install-db", self.options, "--skip-test-db", "--auth-root-authentication-method=normal"],
            env=self.environment(),
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    def command(self) -> List[str]:
        return ["/usr/sbin/mariadbd", self.options, f"--user={os.environ.get('USER') or 'root'}"]

    def create(self) -> None:
        """Make the databases and their user."""
        statements = [f"CREATE DATABASE {name} CHARACTER SET utf8mb3" for name in self.databases]
        statements.append(f"GRANT ALL ON *.* TO 'lab'@'{HOST}' IDENTIFIED BY '{self.layout.password}'")
        self.run("; ".join(statements))

    def run(self, statements: str, database: str = "") -> str:
        """Run SQL as the server's root and return what it printed: lines of values between tabs."""
        return subprocess.run(
            ["mariadb", f"--socket={self.layout.root / 'mariadb' / 'sock'}", "--user=root", "-N", "-B", database],
            input=statements,
            env=self.environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        ).stdout


class Epmd(Service):
    """Erlang's port mapper. RabbitMQ would start one that outlives it."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, "epmd")

    def command(self) -> List[str]:
        return ["/usr/bin/epmd", "-port", str(self.port), "-address", HOST]


class RabbitMQ(Service):
    """The message broker through which nova's services talk."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, "rabbitmq")

    def prepare(self) -> None:
        directory = self.layout.directory("etc", "rabbitmq")
        (directory / "rabbitmq.conf").write_text(settings.rabbitmq(self.layout))
        (directory / "plugins").write_text("[].")
        (directory / "environment").write_text("")

    def working_directory(self) -> Path:
        return self.directory

    def command(self) -> List[str]:
        return [str(packages.rabbitmq(self.layout.unpacked) / "sbin/rabbitmq-server"), "-noinput"]

    def environment(self) -> Dict[str, str]:
        directory, ports = self.layout.directory("etc", "rabbitmq"), self.layout.ports
        return {
            **super().environment(),
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": HOST,
            # the broker itself instead of a shell around it, which would leave it behind when it is killed
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_NODENAME": "lab@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(ports["rabbitmq"]),
            "RABBITMQ_DIST_PORT": str(ports["erlang"]),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.layout.directory("rabbitmq")),
            "RABBITMQ_LOG_BASE": str(self.directory),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_SERVER_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_MAX_PORTS": "4096",
        }


class Wsgi(Service):
    """An API that is a WSGI application, under uWSGI."""

    def __init__(self, layout: Layout, name: str, script: str, workers: int, told: Dict[str, str]) -> None:
        super().__init__(layout, name)
        self.script, self.workers, self.told = script, workers, told

    def command(self) -> List[str]:
        words = f"--plugin python3 --master --no-orphans --processes {self.workers} --threads 4 --enable-threads"
        words += " --lazy-apps --need-app --die-on-term --thunder-lock --buffer-size 65535 --disable-logging"
        listen = ["--http-socket", f"{HOST}:{self.port}", "--add-header", "Connection: close"]
        return ["/usr/bin/uwsgi-core", *words.split(), *listen, "--wsgi-file", self.script]

    def environment(self) -> Dict[str, str]:
        return {**super().environment(), **self.told}


class Daemon(Service):
    """A service with a program of its own."""

    def __init__(self, layout: Layout, name: str, module: str, configuration: str, port: str = "") -> None:
        super().__init__(layout, name, port)
        self.listens = bool(port)
        self.words = [*program(module, name), "--config-file", str(layout.configuration(configuration))]

    def command(self) -> List[str]:
        return self.words

    def is_ready(self) -> bool:
        """A service that only reads from the broker shows up in nova's own list; see the lab."""
        return not self.listens or super().is_ready()


def once(layout: Layout, name: str, command: Sequence[str], good: Sequence[int] = (0,)) -> None:
    """Run a program of the lab to its end. Raises with the end of what it said when it fails."""
    log = layout.directory("run", "once") / f"{name}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            list(command),
            env=environment(layout),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=600,
        )
    if done.returncode not in good:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
