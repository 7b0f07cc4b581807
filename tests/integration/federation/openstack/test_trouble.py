"""Faults, silent cells, latencies and policies: everything that a client must survive."""

from __future__ import annotations

import http.client
import time

import pytest

from tests.federation.openstack import OpenStackSimulator
from tests.integration.federation.openstack.conftest import NOVEMBER, Client

LIST = "/servers/detail?all_tenants=1"


@pytest.fixture(autouse=True)
def one_server(site: OpenStackSimulator) -> str:
    return site.create_server("VO:ops", "someone", "small", cell="cell1")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_status_in_the_shape_of_nova(site: OpenStackSimulator, client: Client, status: int) -> None:
    client.admin()
    site.fault("status", path="/servers", status=status, retry_after=7, count=2)
    for _ in range(2):
        answer = client.compute(LIST)
        assert (answer.status, answer.header("Retry-After")) == (status, "7")
    assert client.compute(LIST).status == 200


def test_faults_wait_for_their_turn(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    site.fault("status", path="servers/detail", method="GET", after=1, count=None, status=500)
    assert [client.compute(LIST).status for _ in range(4)] == [200, 500, 500, 500]
    assert client.compute("/flavors").status == 200
    site.clear_faults()
    assert client.compute(LIST).status == 200


def test_bodies_that_are_not_what_they_should_be(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    site.fault("html", status=502)
    answer = client.compute(LIST)
    assert (answer.status, answer.header("Content-Type")) == (502, "text/html")
    site.fault("empty_body")
    assert (client.compute(LIST).status, client.compute(LIST).status) == (200, 200)
    site.fault("empty_list")
    assert client.compute(LIST).body == {"servers": []}
    site.fault("truncated", honest=True)
    assert isinstance(client.compute(LIST).body, str)
    site.fault("huge", bytes=1000000)
    assert len(client.compute(LIST).body["servers"]) == 1000000 - 15
    site.fault("redirect", location="http://127.0.0.1:1/")
    assert client.compute(LIST).header("Location") == "http://127.0.0.1:1/"
    site.fault("truncated", keep=0.3)
    with pytest.raises(http.client.IncompleteRead):
        client.compute(LIST)


def test_dropped_connection(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    site.fault("drop")
    with pytest.raises(http.client.RemoteDisconnected):
        client.compute(LIST)
    assert client.compute(LIST).status == 200


def test_wrong_date(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    assert client.compute(LIST).header("Date") == "Sun, 01 Nov 2026 00:00:00 GMT"
    site.fault("date", seconds=-86400)
    assert client.compute(LIST).header("Date") == "Sat, 31 Oct 2026 00:00:00 GMT"


def test_tokens_that_end_in_mid_listing(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    site.fault("expire_tokens", path="servers/detail", after=1)
    assert [client.compute(LIST).status for _ in range(3)] == [200, 401, 401]
    client.tokens.clear()
    assert client.compute(LIST).status == 200


def test_answers_take_their_time(site: OpenStackSimulator, client: Client) -> None:
    client.admin()
    site.latency(per_call=0.1, per_server=0.2)
    began = time.monotonic()
    client.compute(LIST)
    assert 0.3 <= time.monotonic() - began < 2
    site.latency()
    site.fault("slow", seconds=0.4)
    began = time.monotonic()
    client.compute(LIST)
    assert 0.4 <= time.monotonic() - began < 2


def test_a_silent_cell(site: OpenStackSimulator, client: Client, one_server: str) -> None:
    lost = site.create_server("VO:ops", "someone", "small", cell="cell2", created=NOVEMBER - 5)
    site.cells_down("cell2")
    rows = client.compute(LIST, "2.69").body["servers"]
    assert [(row["id"], row["status"]) for row in rows] == [(one_server, "ACTIVE"), (lost, "UNKNOWN")]
    assert set(rows[1]) == {"id", "status", "tenant_id", "created", "links"}
    # Below 2.69, and with any limit or filter, the rows are missing without a word.
    assert len(client.compute(LIST, "2.68").body["servers"]) == 1
    assert len(client.compute(LIST + "&limit=1000", "2.69").body["servers"]) == 1
    assert len(client.compute(LIST + "&changes-since=2026-01-01T00:00:00Z", "2.69").body["servers"]) == 1
    one = client.compute(f"/servers/{lost}", "2.69").body["server"]
    assert (one["status"], one["flavor"]["vcpus"], "name" in one) == ("UNKNOWN", 1, False)
    assert client.compute(LIST + f"&limit=5&marker={lost}", "2.69").status == 500
    site.cells_down("cell2", skip=False)
    assert client.compute(LIST + "&limit=5", "2.69").status == 500
    site.cells_down()
    assert len(client.compute(LIST, "2.68").body["servers"]) == 2


def test_a_reader_sees_its_project_only(site: OpenStackSimulator, client: Client, one_server: str) -> None:
    site.create_project("VO:other")
    other = site.create_server("VO:other", "someone", "small")
    token = client.login("someone", "secret", "VO:ops")
    for query in ("", "?tenant_id=1d0130b043c44f4fa43fda987c74042b", "?host=nowhere", "?deleted=true"):
        rows = client.compute("/servers" + query, token=token).body["servers"]
        assert [row["id"] for row in rows] == [one_server], query
    assert client.compute(f"/servers/{other}", token=token).status == 404
    assert client.compute("/servers?all_tenants=0", token=token).status == 200
    assert client.compute("/servers?all_tenants=1", token=token).status == 403
    row = client.compute("/servers/detail", "2.93", token=token).body["servers"][0]
    assert {key for key in row if key.startswith("OS-EXT-SRV-ATTR")} == {"OS-EXT-SRV-ATTR:hostname"}


def test_microversions(site: OpenStackSimulator, client: Client) -> None:
    site.highest_microversion(60)
    assert client.compute(LIST, "2.61").status == 406
    assert client.compute(LIST, "latest").header("X-OpenStack-Nova-API-Version") == "2.60"
    headers = {"X-Auth-Token": client.admin(), "X-OpenStack-Nova-API-Version": "2.46"}
    row = client.call("GET", "/compute/v2.1" + LIST, headers).body["servers"][0]
    assert set(row["flavor"]) == {"id", "links"}
    assert client.compute("/servers/detail?all_tenants=1&status=nonsense", "2.37").body == {"servers": []}
    assert client.compute("/servers/detail?all_tenants=1&status=nonsense", "2.38").status == 400


def test_calls_are_counted_by_kind(site: OpenStackSimulator, client: Client, one_server: str) -> None:
    client.admin()
    site.reset_calls()
    client.compute(f"/servers/{one_server}")
    client.compute(f"/servers/{one_server}")
    client.compute(LIST)
    counted = {"GET /compute/v2.1/servers/{id}": 2, "GET /compute/v2.1/servers/detail": 1}
    assert site.calls() == counted
    last = site.requests()[-1]
    assert last == {"method": "GET", "target": "/compute/v2.1" + LIST, "version": "compute 2.66", "status": 200}


def test_images_for_a_member(site: OpenStackSimulator, client: Client) -> None:
    project = site.create_project("VO:other")
    site.create_image("public")
    site.create_image("mine", visibility="private", owner="VO:ops")
    site.create_image("theirs", visibility="private", owner=project)
    site.create_image(
        "offered", visibility="shared", owner=project, members={"36be1a8ecaf4473685675ea01fe2f64f": "pending"}
    )
    headers = {"X-Auth-Token": client.login("someone", "secret", "VO:ops")}
    names = {image["name"] for image in client.call("GET", "/image/v2/images", headers).body["images"]}
    assert names == {"public", "mine"}
    query = "/image/v2/images?visibility=shared&member_status=pending"
    assert [image["name"] for image in client.call("GET", query, headers).body["images"]] == ["offered"]
