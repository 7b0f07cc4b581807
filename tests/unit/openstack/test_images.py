"""Images that a real glance listed, who sees them, and images that nobody should be offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.offer import Image
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.images import ImageView, is_snapshot, shelf

DATA = Path(__file__).parents[2] / "data" / "openstack"
RECORDED: List[Dict[str, Any]] = json.loads((DATA / "glance-images.json").read_bytes())["response"]["body"]["images"]
OWNER = "7230f72d32d74509ab18bbafb00cd52a"
UBUNTU, CIRROS = "72a909b1-33ce-4be2-bc98-0065cb8d6a61", "db1a706e-3eb4-4d61-b2d2-465e3cf67fb4"
SHARED = "8f0e4e10-543c-4304-9780-5e116725797d"
MPURI = "https://appdb.example.org/store/vo/image/0b5d2d3e-1111-2222-3333-444455556666:9876/"
PREFER = "vmcatcher_event_ad_mpuri"


def row(id_: str = "i", **changes: Any) -> Dict[str, Any]:
    plain = {"id": id_, "name": "plain", "status": "active", "visibility": "public", "owner": "o"}
    return {**plain, "container_format": "bare", "min_ram": 0, "min_disk": 0, "virtual_size": None, **changes}


def shares(*views: ImageView) -> Dict[str, Any]:
    return {one.id: one.shares for one in shelf(views, PREFER).images}


def test_the_recorded_ones() -> None:
    found = shelf([ImageView(("p",), False, RECORDED)], PREFER)
    assert found.problems == ()
    images = {one.id: one for one in found.images}
    # the queued ones and the snapshots are not on offer
    assert images.keys() == {UBUNTU, CIRROS, SHARED}
    assert images[UBUNTU] == Image(
        UBUNTU, "EGI.Ubuntu-22.04", MPURI, os_name="ubuntu", os_version="22.04", disk=1, shares=None
    )
    assert images[CIRROS] == Image(
        CIRROS, "cirros-lab", os_family="linux", os_name="cirros", architecture="x86_64", disk=1
    )
    # it belongs to another project and is listed, so it was accepted
    assert images[SHARED].shares == ("p",)


def test_who_sees_what() -> None:
    rows = [
        row("public"),
        row("mine", visibility="private", owner="p"),
        row("lent", visibility="shared", owner="p"),
        row("borrowed", visibility="shared", owner="q"),
        row("everyones", visibility="community", owner="p"),
        row("strangers", visibility="community", owner="q"),
        row("secret", visibility="private", owner="q"),
    ]
    seen = {"public": None, "mine": ("p",), "lent": ("p",), "borrowed": ("p",), "everyones": None}
    assert shares(ImageView(("p",), False, rows)) == seen
    both = shares(ImageView(("p",), False, rows), ImageView(("r",), False, rows[2:3]))
    assert both == {**seen, "lent": ("p", "r")}


def test_an_administrator_is_shown_what_the_project_is_not() -> None:
    rows = [
        row("public"),
        row("mine", visibility="private", owner="p"),
        row("secret", visibility="private", owner="q"),
        row("borrowed", visibility="shared", owner="q"),
        row("lent", visibility="shared", owner="p"),
    ]
    found = shelf([ImageView(("p", "r"), True, rows)], PREFER)
    assert {one.id: one.shares for one in found.images} == {"public": None, "mine": ("p",), "lent": ("p",)}
    (problem,) = found.problems
    assert problem.subject == "images"
    assert "2 of them" in problem.reason
    # whom a project was asked as itself, is known
    again = shares(ImageView(("p",), True, rows), ImageView(("r",), False, rows[3:4]))
    assert again["borrowed"] == ("r",)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_type": "snapshot"},
        {"image_type": "backup"},
        {"instance_uuid": "4f9e5c23"},
        {"base_image_ref": CIRROS},
        {"base_image_ref": "", "block_device_mapping": "[{}]"},
    ],
)
def test_a_snapshot_is_not_the_appliance_whose_properties_it_carries(changes: Dict[str, Any]) -> None:
    assert is_snapshot(row(**changes))
    assert shares(ImageView(("p",), False, [row(vmcatcher_event_ad_mpuri=MPURI, **changes)])) == {}
    assert not is_snapshot(row(base_image_ref="", image_type="base"))


@pytest.mark.parametrize("changes", [{"status": "queued"}, {"container_format": "aki"}, {"container_format": "ari"}])
def test_what_cannot_be_started_is_not_on_offer(changes: Dict[str, Any]) -> None:
    assert shares(ImageView(("p",), False, [row(**changes)])) == {}


@pytest.mark.parametrize(
    ("changes", "disk", "memory"),
    [
        ({"virtual_size": 2**30}, 1, None),
        ({"virtual_size": 2**30 + 1, "min_ram": 512}, 2, 512),
        ({"virtual_size": 2**30, "min_disk": 20}, 20, None),
        ({}, None, None),
    ],
)
def test_sizes(changes: Dict[str, Any], disk: Any, memory: Any) -> None:
    (found,) = shelf([ImageView(("p",), False, [row(**changes)])], PREFER).images
    assert (found.disk, found.min_memory) == (disk, memory)


@pytest.mark.parametrize(
    "changes", [{"name": 7}, {"min_ram": "much"}, {"virtual_size": -1}, {"os_distro": {}}, {"os_version": 22.04}]
)
def test_a_bad_image_is_left_out_and_named(changes: Dict[str, Any]) -> None:
    found = shelf([ImageView(("p",), False, [row("bad", **changes), row("good")])], PREFER)
    assert [one.id for one in found.images] == ["good"]
    assert [problem.subject for problem in found.problems] == ["image bad"]
    with pytest.raises(RemoteDataError, match="none of 1 images"):
        shelf([ImageView(("p",), False, [row("bad", **changes)])], PREFER)


@pytest.mark.parametrize("bad", [None, "image", [], {}, {"id": 7}, {"id": ""}])
def test_rows_that_cannot_be_told_apart_are_no_list(bad: Any) -> None:
    with pytest.raises(RemoteDataError, match="an image without id"):
        shelf([ImageView(("p",), False, [bad])], PREFER)


def test_properties_that_make_no_sense_are_named_and_the_image_stays() -> None:
    found = shelf([ImageView(("p",), False, [row(APPLIANCE_ATTRIBUTES="{half")])], PREFER)
    assert len(found.images) == 1
    assert found.problems[0].subject == "image i"
    assert "APPLIANCE_ATTRIBUTES" in found.problems[0].reason


def test_half_of_a_character_is_no_text() -> None:
    with pytest.raises(RemoteDataError, match="without id"):
        shelf([ImageView(("p",), False, [row("\ud800")])], PREFER)
    found = shelf([ImageView(("p",), False, [row("bad", name="\ud800"), row("good", description="\udfff")])], PREFER)
    assert [(one.id, one.description) for one in found.images] == [("good", None)]
