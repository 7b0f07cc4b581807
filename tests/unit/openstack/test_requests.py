"""What is asked for, at which version, and where the next page is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fedcloud_agent.clouds.contract import Window
from fedcloud_agent.errors import ConfigurationError, RemoteDataError
from fedcloud_plugins.openstack.compute import choose_version, next_marker
from fedcloud_plugins.openstack.plugin import passes

SINCE = 1795359253
ISO = "2026-11-22T14:54:13Z"


def document(low: str, high: str) -> Any:
    return {"version": {"id": "v2.1", "min_version": low, "version": high}}


@pytest.mark.parametrize(
    ("high", "chosen"), [("2.93", "2.69"), ("2.69", "2.69"), ("2.68", "2.66"), ("2.53", "2.47"), ("2.1", "2.1")]
)
def test_the_best_version_that_both_speak(high: str, chosen: str) -> None:
    assert str(choose_version(document("2.1", high), "cloud")) == chosen


def test_the_list_of_all_versions_will_do() -> None:
    old = {"id": "v2.0", "min_version": "", "version": ""}
    assert str(choose_version({"versions": [old, document("2.1", "2.93")["version"]]}, "cloud")) == "2.69"


@pytest.mark.parametrize(
    "body", [None, [], {}, {"version": {}}, {"versions": []}, document("2.1", "x"), {"version": 7}]
)
def test_what_is_no_version_document(body: Any) -> None:
    with pytest.raises(RemoteDataError, match="cloud"):
        choose_version(body, "cloud")


def test_a_cloud_of_another_age() -> None:
    with pytest.raises(ConfigurationError, match=r"2\.70 to 2\.90"):
        choose_version(document("2.70", "2.90"), "cloud")


def test_of_a_link_only_the_marker_is_used() -> None:
    links = [
        {"rel": "self", "href": "/x"},
        {"rel": "next", "href": "http://evil.example.org/v2.1/servers/detail?marker=m"},
    ]
    assert next_marker(links, "/servers/detail") == "m"
    assert next_marker(None, "/servers/detail") is None
    assert next_marker([], "/servers/detail") is None


@pytest.mark.parametrize(
    "links",
    [
        [{"rel": "next", "href": "http://cloud/v2.1/servers?marker=m"}],
        [{"rel": "next", "href": "http://cloud/v2.1/servers/detail"}],
        [{"rel": "next", "href": 7}],
        [{"rel": "next"}],
        "next",
        7,
    ],
)
def test_links_that_lead_nowhere(links: Any) -> None:
    with pytest.raises(RemoteDataError):
        next_marker(links, "/servers/detail")


ALL = {"all_tenants": 1, "limit": 200}
OWN = {"limit": 1000}


@pytest.mark.parametrize(
    ("window", "wide", "expected"),
    [
        (Window(False, SINCE), True, [({**ALL, "changes-since": ISO}, False)]),
        (Window(False, SINCE), False, [({**OWN, "changes-since": ISO}, False)]),
        (Window(True, SINCE), True, [(ALL, False), ({**ALL, "deleted": "true", "changes-since": ISO}, False)]),
        (Window(True, None), True, [(ALL, False), ({**ALL, "deleted": "true"}, False)]),
        (Window(True, SINCE), False, [(OWN, False), ({**OWN, "changes-since": ISO}, True)]),
        (Window(True, None), False, [(OWN, False), ({**OWN, "changes-since": "1970-01-01T00:00:00Z"}, True)]),
    ],
)
def test_what_covers_a_window(window: Window, wide: bool, expected: Any) -> None:
    assert json.loads(json.dumps(passes(window, wide=wide, page_size=None))) == json.loads(json.dumps(expected))


def test_the_page_size_can_be_chosen() -> None:
    assert passes(Window(False, SINCE), wide=True, page_size=5)[0].query["limit"] == 5
