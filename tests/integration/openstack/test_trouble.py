"""What the plugin does when the site is in trouble: wait, begin anew, or say so; never take silence for absence."""

from __future__ import annotations

from typing import Any, Callable, Type

import pytest

from fedcloud_agent.clouds.contract import NoPast, Window
from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, UnreachableError

NOW = 1_795_000_000
DAY = 86400
PAGES = r"servers/detail\?.*marker="


@pytest.fixture()
def servers(site: Any) -> Any:
    return {site.server(created=NOW - 1000 - n) for n in range(9)}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "retry_after": 0},
        {"kind": "status", "status": 429, "retry_after": 0},
        {"kind": "html", "status": 502},
        {"kind": "drop"},
        {"kind": "truncated"},
        {"kind": "expire_tokens"},
        {"kind": "purge_marker"},
    ],
)
@pytest.mark.parametrize("path", [PAGES, "identity/v3/users", "image/v2/images", "compute/v2.1/$", "auth/tokens"])
def test_a_passing_fault_is_not_noticed(
    site: Any, servers: Any, read: Callable[..., Any], fault: Any, path: str
) -> None:
    purges = fault["kind"] == "purge_marker"
    if purges and path != PAGES:
        pytest.skip("only pages of servers have markers of servers")
    site.simulator.fault(**fault, path=path)
    seen = read(site.cloud(page_size=2))
    # the server at the marker was shown on the page before it was purged
    assert seen.machines.keys() == servers


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, UnreachableError),
        ({"kind": "status", "status": 503}, UnreachableError),
        ({"kind": "status", "status": 401}, RefusedError),
        ({"kind": "status", "status": 403}, RefusedError),
        ({"kind": "status", "status": 404}, RemoteDataError),
        ({"kind": "status", "status": 400, "message": "no"}, RemoteDataError),
        ({"kind": "html", "status": 200}, RemoteDataError),
        ({"kind": "html", "status": 502}, UnreachableError),
        ({"kind": "drop"}, UnreachableError),
        ({"kind": "truncated"}, RemoteDataError),
        ({"kind": "truncated", "honest": True}, RemoteDataError),
        ({"kind": "empty_body"}, RemoteDataError),
        ({"kind": "huge", "bytes": 60_000_000}, RemoteDataError),
        ({"kind": "redirect", "location": "http://localhost:1/servers/detail"}, RemoteDataError),
        ({"kind": "purge_marker"}, RemoteDataError),
    ],
)
def test_a_page_that_fails_fails_the_listing(site: Any, servers: Any, fault: Any, error: Type[AgentError]) -> None:
    site.simulator.fault(**fault, path=PAGES, count=None, after=1)
    (listing,) = site.cloud(page_size=1).usage(lambda scope: Window(True, None), NoPast())
    with pytest.raises(error) as caught:
        list(listing.pages)
    if fault["kind"] != "redirect":
        assert f"127.0.0.1:{site.simulator.port}" in str(caught.value)


def test_a_date_that_cannot_be_right_is_passed_on_for_the_caller_to_judge(site: Any, servers: Any) -> None:
    site.simulator.fault("date", path="servers/detail", seconds=-7200, count=1)
    (listing,) = site.cloud().usage(lambda scope: Window(True, None), NoPast())
    assert listing.as_of == NOW - 7200


def test_a_listing_that_stops_early_stops_asking(site: Any, servers: Any) -> None:
    (listing,) = site.cloud(page_size=1).usage(lambda scope: Window(True, None), NoPast())
    next(listing.pages)
    listing.pages.close()
    assert sum(PAGES[:14] in r["target"] and "marker=" in r["target"] for r in site.simulator.requests()) <= 2


@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_login_that_fails_is_named(site: Any, status: int) -> None:
    site.simulator.fault("status", path="auth/tokens", status=status, count=None)
    kind = RefusedError if status == 401 else UnreachableError
    with pytest.raises(kind, match=r"identity/v3"):
        list(site.cloud().usage(lambda scope: Window(True, None), NoPast()))


def test_nobody_at_home(site: Any) -> None:
    site.simulator.stop()
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{site.simulator.port}"):
        site.cloud().probe()


def test_an_hourly_run_is_cheap(site: Any, read: Callable[..., Any]) -> None:
    simulator = site.simulator
    users = [simulator.create_user(f"/DC=org/DC=example/CN=User {n}") for n in range(20)]
    made = simulator.create_servers(
        {
            "project": "vo-ops",
            "user": user,
            "flavor": "small",
            "image": site.image,
            "created": NOW - 30 * DAY,
            "count": 500,
        }
        for user in users
    )
    for server in made[::100]:
        simulator.act(server, "stop", at=NOW - 600)
    simulator.reset_calls()
    seen = read(site.cloud(), full=False, since=NOW - 3600)
    assert seen.machines.keys() == set(made[::100])
    assert sum(simulator.calls().values()) <= 20
    simulator.reset_calls()
    assert read(site.cloud(), since=NOW - 3600).machines.keys() == set(made)
    assert sum(simulator.calls().values()) <= 70
