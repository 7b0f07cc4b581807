"""A simulated site for the tests of this directory, and a client that shows what really came over the wire."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import pytest

from tests.federation.openstack import OpenStackSimulator


class Answer(NamedTuple):
    """What came: ``body`` parsed when it is JSON, else the text."""

    status: int
    headers: List[Tuple[str, str]]
    body: Any

    def header(self, name: str) -> Optional[str]:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Client:
    """Speaks plain HTTP with the site over one kept connection."""

    def __init__(self, site: OpenStackSimulator) -> None:
        self.site = site
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        self.tokens: Dict[Any, str] = {}

    def call(self, method: str, target: str, headers: Optional[Dict[str, str]] = None, body: Any = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        self.connection.request(method, target, data, headers or {})
        response = self.connection.getresponse()
        raw = response.read()
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            parsed = raw.decode()
        return Answer(response.status, response.getheaders(), parsed)

    def login(self, user: str, password: str, project: Optional[str] = None, system: bool = False) -> str:
        """Return a token; the same one for the same login."""
        key = (user, project, system)
        if key not in self.tokens:
            who = {"name": user, "domain": {"id": "default"}, "password": password}
            auth: Dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
            if project is not None:
                auth["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
            elif system:
                auth["scope"] = {"system": {"all": True}}
            answer = self.call("POST", "/identity/v3/auth/tokens", body={"auth": auth})
            assert answer.status == 201, answer
            self.tokens[key] = answer.header("X-Subject-Token") or ""
        return self.tokens[key]

    def admin(self) -> str:
        """Return the token of the administrator that each site has from the beginning."""
        return self.login(self.site.admin_name, self.site.admin_password, self.site.admin_project)

    def compute(self, path: str, version: str = "2.66", token: Optional[str] = None) -> Answer:
        """GET below nova, as administrator unless told otherwise."""
        headers = {"X-Auth-Token": token or self.admin(), "OpenStack-API-Version": f"compute {version}"}
        return self.call("GET", "/compute/v2.1" + path, headers)


@pytest.fixture()
def site(tmp_path: Path) -> Iterator[OpenStackSimulator]:
    """A site with a project, a user and two flavors, whose clock stands at 1 November 2026."""
    with OpenStackSimulator(tmp_path) as running:
        running.set_clock(NOVEMBER)
        running.create_flavor("small", 1, 2048, 20)
        running.create_flavor("large", 4, 8192, 80, ephemeral=10)
        running.create_project("VO:ops", id=OPS, VO="ops")
        running.create_user("someone", id=SOMEONE, password="secret", roles={"VO:ops": ["reader"]})
        yield running


@pytest.fixture()
def client(site: OpenStackSimulator) -> Client:
    return Client(site)


NOVEMBER = 1793491200
OPS = "36be1a8ecaf4473685675ea01fe2f64f"
SOMEONE = "5fb3f2efb0814bbc99fea6bcc7d38a7d"
