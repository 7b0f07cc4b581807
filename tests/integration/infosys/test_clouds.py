"""From simulated clouds to the readers, and to the federation's own query: two clouds in a tree, of which one fails."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.federation.openstack import OpenStackSimulator
from tests.federation.top import TopBdii
from tests.integration.infosys.published import CONTACT, Published
from tests.integration.infosys.serve.agent import DOMAIN, Serve
from tests.integration.infosys.test_pipeline import lines


@dataclasses.dataclass
class Federation:
    """Two clouds of one site."""

    published: Published
    first: OpenStackSimulator
    second: OpenStackSimulator


def cloud(simulator: OpenStackSimulator, secret: Path) -> Dict[str, Any]:
    simulator.create_project("vo-ops", VO="ops")
    simulator.create_user("reader", password="pw", roles={"vo-ops": ["reader"]})
    simulator.create_flavor("small", 1, 2048, 20)
    simulator.create_image("worker", visibility="public", APPLIANCE_MPURI="https://registry.example.org/7/")
    auth = {"auth_url": simulator.auth_url, "username": "reader", "user_domain_name": "Default"}
    return {"type": "openstack", "auth": {**auth, "password_file": str(secret)}, "vos": {"ops": {"project": "vo-ops"}}}


@pytest.fixture()
def federation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Federation]:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("pw\n")
    serve = Serve(contact=CONTACT, listen=["127.0.0.1"])
    with OpenStackSimulator(tmp_path / "first") as first, OpenStackSimulator(tmp_path / "second") as second:
        for simulator in (first, second):
            simulator.set_clock(None)
        serve.clouds = {"first": cloud(first, secret), "second": cloud(second, secret)}
        try:
            serve.start()
            yield Federation(Published(serve, monkeypatch), first, second)
        finally:
            serve.close()


def test_two_clouds_reach_the_query_of_the_federation_and_one_that_fails_stays(
    federation: Federation, tmp_path: Path
) -> None:
    published = federation.published
    done = published.type("publish", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["clouds"] == {"first": None, "second": None} and not told["aside"]
    doors = [federation.first.auth_url, federation.second.auth_url]
    source = {"EXAMPLE-SITE": f"ldap://127.0.0.1:{published.serve.port}/{DOMAIN}"}
    with TopBdii(tmp_path / "top", source) as top:
        found = lines(top)
        assert [line.split()[0] for line in found] == ["EXAMPLE-SITE"] * 3
        assert {line.split()[1].rstrip("/") for line in found} >= {door.rstrip("/") for door in doors}
        federation.second.stop()
        before = {one.dn for one in published.serve.tree()}
        for _ in range(2):
            published.now += 60
            done = published.type("publish", "--json")
            assert done.code == 69 and json.loads(done.out)["clouds"]["first"] is None, done
        assert {one.dn for one in published.serve.tree()} == before
        health = {
            one.first("GLUE2EndpointURL"): one.first("GLUE2EndpointHealthState")
            for one in published.entries("GLUE2ComputingEndpoint")
        }
        assert sorted(filter(None, health.values())) == ["ok", "unknown"]
        top.await_cycle()
        assert lines(top) == found
