"""Pages put together are the population, whatever its size, its limit and its order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.federation.openstack import OpenStackSimulator
from tests.integration.federation.openstack.conftest import NOVEMBER, Client


def pages(client: Client, path: str, version: str = "2.66") -> Iterator[List[str]]:
    """Follow the links from a first page on; yields the ids of each."""
    root = client.site.compute_url
    while path:
        body = client.compute(path, version).body
        yield [row["id"] for row in body["servers"]]
        links = body.get("servers_links")
        path = links[0]["href"][len(root) :] if links else ""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with OpenStackSimulator(tmp_path_factory.mktemp("openstack")) as site:
        site.set_clock(NOVEMBER)
        site.create_flavor("small", 1, 2048, 20)
        site.create_project("VO:ops")
        yield Client(site)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    lives=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["live", "deleted", "soft", "error"])), max_size=25),
    limit=st.integers(1, 30),
    order=st.sampled_from(["", "&sort_key=created_at&sort_dir=asc", "&sort_key=updated_at", "&sort_key=display_name"]),
    which=st.sampled_from(["", "&deleted=true", "&changes-since=2026-10-01T00:00:00Z"]),
)
def test_pages_put_together_are_the_population(
    crowd: Client, lives: List[Tuple[int, str]], limit: int, order: str, which: str
) -> None:
    site = crowd.site
    entries = [
        {"project": "VO:ops", "user": "admin", "flavor": "small", "created": NOVEMBER - 100 + age, "name": f"vm{age}"}
        for age, _ in lives
    ]
    keys = site.create_servers(
        [{**e, "state": "error" if s == "error" else "active"} for e, (_, s) in zip(entries, lives)]
    )
    acts = {"deleted": "delete", "soft": "soft_delete"}
    site.acts([{"server": key, "action": acts[s]} for key, (_, s) in zip(keys, lives) if s in acts])
    expected = {
        key
        for key, (_, s) in zip(keys, lives)
        if which.startswith("&changes") or (s in acts) == (which == "&deleted=true")
    }
    found = list(pages(crowd, f"/servers/detail?all_tenants=1&limit={limit}{which}{order}"))
    together = [key for page in found for key in page]
    site.purge(keys, force=True)
    assert sorted(together) == sorted(expected)
    assert len(found) == len(expected) // limit + 1
    if order == "":
        created = {key: entry["created"] for key, entry in zip(keys, entries)}
        assert together == sorted(together, key=lambda key: (-int(str(created[key])), key))


def test_a_server_created_meanwhile_neither_hides_nor_repeats_another(site: OpenStackSimulator, client: Client) -> None:
    entry = {"project": "VO:ops", "user": "someone", "flavor": "small"}
    keys = site.create_servers([{**entry, "count": 10, "created": NOVEMBER - 1000, "spacing": 10}])
    listing = pages(client, "/servers?all_tenants=1&limit=4")
    found = next(listing)
    site.create_server(**entry)
    site.act(found[-1], "delete")
    found += [key for page in listing for key in page]
    assert sorted(found) == sorted(keys)


def test_marker_that_is_archived_meanwhile(site: OpenStackSimulator, client: Client) -> None:
    entry = {"project": "VO:ops", "user": "someone", "flavor": "small"}
    site.create_servers([{**entry, "count": 5, "created": NOVEMBER - 1000, "spacing": 10}])
    listing = pages(client, "/servers?all_tenants=1&limit=2")
    marker = next(listing)[-1]
    site.fault("purge_marker", path="marker=")
    answer = client.compute(f"/servers?all_tenants=1&limit=2&marker={marker}")
    assert (answer.status, answer.body["badRequest"]["message"]) == (400, f"marker [{marker}] not found")


def test_images_in_pages(site: OpenStackSimulator, client: Client) -> None:
    keys = {site.create_image(f"image-{number}") for number in range(7)}
    headers = {"X-Auth-Token": client.admin()}
    path, found = "/v2/images?limit=3", []
    while path:
        body = client.call("GET", "/image" + path, headers).body
        found += [image["id"] for image in body["images"]]
        path = body.get("next", "")
    assert sorted(found) == sorted(keys)


@pytest.mark.slow
def test_a_hundred_thousand_servers(tmp_path: Path) -> None:
    """Nova needs 2 s and more for a page of 1000; the simulator must need so little that it never is the brake."""
    with OpenStackSimulator(tmp_path) as site:
        site.create_flavor("small", 1, 2048, 20)
        site.create_project("VO:ops")
        first = NOVEMBER - 7 * 100000
        entry = {"project": "VO:ops", "user": "admin", "flavor": "small", "count": 100000}
        site.create_servers([{**entry, "created": first, "spacing": 7, "boot_seconds": 30}])
        client = Client(site)
        client.admin()
        speeds = []
        for _ in range(2):
            began = time.monotonic()
            found = [key for page in pages(client, "/servers/detail?all_tenants=1&limit=1000") for key in page]
            speeds.append(101 / (time.monotonic() - began))
            assert len(found) == len(set(found)) == 100000
        print(f"pages of 1000 a second, parsed by the client: {speeds[0]:.0f} first, {speeds[1]:.0f} again")
        assert speeds[0] > 3
