"""What describing does when the site is in trouble: say so. Half of a list is never told as the whole."""

from __future__ import annotations

from typing import Any, Iterator, Type

import pytest

from fedcloud_agent.clouds.offer import Machines
from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http import Bounds
from tests.federation.openstack import OpenStackSimulator
from tests.integration.openstack.conftest import Site

FLAVORS, LIMITS, IMAGES, HOSTS = "/flavors/detail", "/limits", "image/v2/images", "/os-hypervisors/detail"
SERVERS = r"servers/detail\?limit=1000"
EVERYWHERE = (FLAVORS, LIMITS, IMAGES, HOSTS, SERVERS)


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all tests here; none of them changes it."""
    directory = tmp_path_factory.mktemp("trouble")
    with OpenStackSimulator(directory / "openstack") as simulator:
        made = Site(simulator, directory)
        simulator.create_hypervisor("node1")
        made.server()
        yield made
        for cloud in made.clouds:
            cloud.close()


@pytest.fixture(autouse=True)
def passing(trouble: Site) -> Iterator[None]:
    yield
    trouble.simulator.clear_faults()


@pytest.mark.parametrize("path", [*EVERYWHERE, "auth/tokens", "v3/auth/projects", "compute/v2.1/$"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "retry_after": 0},
        {"kind": "html", "status": 502},
        {"kind": "drop"},
        {"kind": "truncated"},
        {"kind": "expire_tokens"},
    ],
)
def test_a_passing_fault_is_not_noticed(trouble: Site, path: str, fault: Any) -> None:
    trouble.simulator.fault(**fault, path=path)
    offer = trouble.cloud("reader").describe()
    assert (len(offer.shares), len(offer.instance_types), len(offer.images)) == (2, 2, 1)
    assert offer.machines == Machines(1, 1, 0, 0, 0)
    assert [problem.subject for problem in offer.problems] == ["hypervisors"]


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, UnreachableError),
        ({"kind": "status", "status": 503}, UnreachableError),
        ({"kind": "status", "status": 401}, RefusedError),
        ({"kind": "status", "status": 404}, RemoteDataError),
        ({"kind": "status", "status": 400, "message": "no"}, RemoteDataError),
        ({"kind": "html", "status": 200}, RemoteDataError),
        ({"kind": "html", "status": 502}, UnreachableError),
        ({"kind": "drop"}, UnreachableError),
        ({"kind": "truncated"}, RemoteDataError),
        ({"kind": "truncated", "honest": True}, RemoteDataError),
        ({"kind": "empty_body"}, RemoteDataError),
        ({"kind": "huge", "bytes": 60_000_000}, RemoteDataError),
        ({"kind": "redirect", "location": "http://localhost:1/elsewhere"}, RemoteDataError),
        ({"kind": "body", "body": "null"}, RemoteDataError),
        ({"kind": "body", "body": "[]"}, RemoteDataError),
        ({"kind": "body", "body": "{}"}, RemoteDataError),
        ({"kind": "body", "body": '{"flavors": {}, "images": {}, "servers": {}, "hypervisors": {}}'}, RemoteDataError),
        (
            {"kind": "body", "body": '{"flavors": [7], "images": [7], "servers": [7], "hypervisors": [7]}'},
            RemoteDataError,
        ),
        ({"kind": "body", "body": "[" * 50000}, RemoteDataError),
    ],
)
def test_what_fails_fails_the_whole_look(trouble: Site, path: str, fault: Any, error: Type[AgentError]) -> None:
    trouble.simulator.fault(**fault, path=path, count=None)
    username = "admin-agent" if path == HOSTS else "reader"
    with pytest.raises(error) as caught:
        trouble.cloud(username).describe()
    if fault["kind"] != "redirect" and "[7]" not in fault.get("body", ""):
        assert f"127.0.0.1:{trouble.simulator.port}" in caught.value.message


@pytest.mark.parametrize(("path", "subject"), [(LIMITS, "project vo-ops"), (IMAGES, "images"), (HOSTS, "hypervisors")])
def test_what_a_policy_forbids_is_left_out_and_named(trouble: Site, path: str, subject: str) -> None:
    trouble.simulator.fault("status", path=path, status=403, count=None)
    offer = trouble.cloud("reader").describe()
    assert subject in [problem.subject for problem in offer.problems]
    assert len(offer.shares) == 2
    assert (offer.shares[0].quotas == ()) == (path == LIMITS)
    assert (offer.images == ()) == (path == IMAGES)


def test_a_quota_that_an_administrator_may_not_read(trouble: Site) -> None:
    trouble.simulator.fault("status", path="/os-quota-sets/", status=403, count=None)
    offer = trouble.cloud("admin-agent").describe()
    assert [share.quotas == () for share in offer.shares if share.vo == "bio.example.org"] == [True]
    assert any("may not read its limits" in problem.reason for problem in offer.problems)
    trouble.simulator.clear_faults()
    trouble.simulator.fault("body", path="/os-quota-sets/", body="{}", count=None)
    with pytest.raises(RemoteDataError, match="answered no quota"):
        trouble.cloud("admin-agent").describe()


@pytest.mark.parametrize("path", [FLAVORS, SERVERS])
def test_without_flavors_or_machines_there_is_no_offer(trouble: Site, path: str) -> None:
    trouble.simulator.fault("status", path=path, status=403, count=None)
    with pytest.raises(RefusedError, match="answered 403"):
        trouble.cloud("reader").describe()


def test_a_second_page_that_fails(trouble: Site) -> None:
    for path, link in ((FLAVORS, "flavors_links"), (HOSTS, "hypervisors_links")):
        key = link.partition("_")[0]
        page = f'{{"{key}": [], "{link}": [{{"rel": "next", "href": "http://x{path}?marker=m"}}]}}'
        trouble.simulator.clear_faults()
        trouble.simulator.fault("body", path=path, body=page, count=None)
        with pytest.raises(RemoteDataError, match="pages in a circle"):
            trouble.cloud("admin-agent").describe()
    for next_page, reason in (
        ("/v2/images?marker=m", "in a circle"),
        ("/v2/images", "followed"),
        ("/x?marker=m", "said"),
    ):
        trouble.simulator.clear_faults()
        trouble.simulator.fault("body", path=IMAGES, body=f'{{"images": [], "next": "{next_page}"}}', count=None)
        with pytest.raises(RemoteDataError, match=reason):
            trouble.cloud("reader").describe()


def test_an_empty_list_is_believed_and_named(trouble: Site) -> None:
    trouble.simulator.fault("empty_list", path=FLAVORS, count=None)
    offer = trouble.cloud("reader").describe()
    assert offer.instance_types == ()
    assert "flavors" in [problem.subject for problem in offer.problems]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_silence_ends(trouble: Site, path: str) -> None:
    trouble.simulator.fault("slow", path=path, seconds=2, count=None)
    cloud = trouble.cloud("admin-agent" if path == HOSTS else "reader")
    cloud._connection.client._adapter.bounds = Bounds(timeout=0.5, deadline=0.8, backoff=0.01)
    with pytest.raises(UnreachableError):
        cloud.describe()


def test_keystone_that_fails_in_the_middle_is_no_missing_role(trouble: Site) -> None:
    # who is refused is left out; who finds nobody there is not
    trouble.simulator.fault("status", path="auth/tokens", status=503, after=2, count=None)
    with pytest.raises(UnreachableError):
        trouble.cloud("reader").describe()
    trouble.simulator.clear_faults()
    trouble.simulator.fault("status", path="auth/tokens", status=401, after=2, count=None)
    offer = trouble.cloud("reader").describe()
    assert len(offer.shares) == 1
    assert offer.problems[0].subject.startswith("project vo-")
