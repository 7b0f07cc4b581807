"""A real cloud in trouble: services that are down, accounts that are refused. Nothing is lost, nobody is guessed."""

from __future__ import annotations

from typing import Callable, Dict

import pytest

from tests.openstack_lab.layout import HOST
from tests.openstack_lab.site import Site, run_all
from tests.openstack_lab.world import World

EX_UNAVAILABLE = 69
EX_NOPERM = 77


@pytest.mark.parametrize("service", ["nova-api", "keystone", "neutron-server", "glance-api", "mariadb"])
def test_an_outage_loses_nothing(world: World, service: str) -> None:
    lab = world.lab
    sites = {"all projects": world.site(), "by project": world.site("reader")}
    gone, kept = (world.jane.boot(f"vm-{what}-{service}", world.image, world.small, None) for what in ("gone", "kept"))
    world.jane.await_status({gone: "ACTIVE", kept: "ACTIVE"})
    run_all(sites)
    world.jane.delete(gone)
    world.jane.await_gone([gone])
    lab.services[service].stop()
    try:
        for view, site in sites.items():
            run = site.run()
            assert run.code == EX_UNAVAILABLE, f"{view}: {run.said}"
            assert HOST in run.said
            assert "Traceback" not in run.said
            assert lab.layout.password not in run.said
            assert run.records == {}
    finally:
        lab.start(service)
    lab.await_api()
    for view, run in run_all(sites).items():
        assert [record["Status"] for record in run.records[gone]] == ["completed"], view
        assert kept not in run.records, view
    world.jane.delete(kept)
    world.jane.await_gone([kept])


def wrong_password(world: World, site: Site, user: str) -> None:
    site.set_password("not the password")


def expired_password(world: World, site: Site, user: str) -> None:
    accounts = f"SELECT id FROM local_user WHERE user_id = '{user}'"
    world.lab.database.run(
        "UPDATE password SET expires_at = '2020-01-01', expires_at_int = 1577836800000000 "
        f"WHERE local_user_id IN ({accounts})",
        "keystone",
    )


def disabled_account(world: World, site: Site, user: str) -> None:
    world.admin.call("keystone", "PATCH", f"/users/{user}", json={"user": {"enabled": False}})


def role_taken_away(world: World, site: Site, user: str) -> None:
    role = world.admin.role("reader")
    world.admin.call("keystone", "DELETE", f"/projects/{world.ops}/users/{user}/roles/{role}")


@pytest.mark.parametrize("mishap", [wrong_password, expired_password, disabled_account, role_taken_away])
def test_a_refused_account_is_told_apart(world: World, mishap: Callable[[World, Site, str], None]) -> None:
    name = f"account-{mishap.__name__}"
    user = world.admin.make_user(name, {world.ops: ["reader"]})
    scope: Dict[str, str] = {"project_name": "egi-ops"}
    site = world.site(name, auth=scope)
    assert site.run().code == 0
    mishap(world, site, user)
    run = site.run()
    assert run.code == EX_NOPERM, run.said
    assert HOST in run.said
    assert name in run.said
    assert "Traceback" not in run.said
    assert run.records == {}
    assert site.run("clouds", "--probe").code == EX_NOPERM
