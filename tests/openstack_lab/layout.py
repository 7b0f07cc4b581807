"""Where the lab is: its directory, the port of each service, the one password that they share."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Dict

from tests.federation.controller import free_port

HOST = "127.0.0.1"
REGION = "Lab"
APIS = ("keystone", "placement", "glance", "neutron", "nova")
"""Those that people and services call over HTTP; each has a user of its own in keystone."""


class Layout:
    """One lab's places. ``password`` is that of every account in it, and of no other lab."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.password = secrets.token_hex(12)
        self.ports: Dict[str, int] = {}
        for name in (*APIS, "mariadb", "rabbitmq", "erlang", "epmd"):
            port = free_port()
            while port in self.ports.values():
                port = free_port()
            self.ports[name] = port

    def url(self, service: str) -> str:
        """Return the root of an API."""
        return f"http://{HOST}:{self.ports[service]}"

    @property
    def identity(self) -> str:
        """The URL that people log in at."""
        return self.url("keystone") + "/v3"

    def directory(self, *names: str) -> Path:
        """Return a directory of the lab, made if need be."""
        path = self.root.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def configuration(self, service: str) -> Path:
        """Return the configuration file of a service."""
        return self.directory("etc", service) / f"{service}.conf"

    @property
    def unpacked(self) -> Path:
        """Where packages are unpacked that must not be installed."""
        return self.root / "unpacked"
