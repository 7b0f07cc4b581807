"""Templates and their images as what machines are started from."""

from __future__ import annotations

import dataclasses
from typing import Any, List, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element, fromstring

import pytest

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Image
from fedcloud_plugins.opennebula.description.images import View, images_of, named
from fedcloud_plugins.opennebula.description.templates import Images, image_of, template_of
from fedcloud_plugins.opennebula.rights import IMAGES, TEMPLATES, Rule
from tests.unit.opennebula.description.lists import image, recorded, template
from tests.unit.opennebula.elements import SETTINGS

VIEW = View(frozenset({100, 101}), (), SETTINGS.image_keys, "{id}")
DISK = "<DISK><IMAGE_ID>5</IMAGE_ID></DISK>"
MARK = "<CLOUDKEEPER_APPLIANCE_MPURI>https://registry.example.org/1</CLOUDKEEPER_APPLIANCE_MPURI>"
GROUP, ALL = 0x200000000, 0x400000000


def offered(
    templates: Sequence[Element], images: Sequence[Element] = (), **changes: Any
) -> Tuple[Tuple[Image, ...], Tuple[Problem, ...]]:
    view = dataclasses.replace(VIEW, **changes)
    return images_of(map(template_of, templates), Images(map(image_of, images)), view)


def ids(templates: Sequence[Element], images: Sequence[Element] = (), **changes: Any) -> List[str]:
    return [one.id for one in offered(templates, images, **changes)[0]]


def fault(templates: Sequence[Element], images: Sequence[Element] = (), **changes: Any) -> Optional[str]:
    found, problems = offered(templates, images, **changes)
    assert found == ()
    return problems[0].reason if problems else None


def test_recorded_templates() -> None:
    found, problems = offered(
        recorded("templatepool.info_-2_-1_-1", "VMTEMPLATE_POOL"), recorded("imagepool.info_-2_-1_-1", "IMAGE_POOL")
    )
    assert problems == ()
    # the third has no disk with an image
    alma, minimal = found
    assert alma == Image(
        id="0",
        name="AlmaLinux 9 (fedcloud)",
        marketplace_uri="https://appdb.egi.eu/store/vo/image/0a1b2c3d-0000-4000-8000-000000000001:1001/",
        version="9.4.1",
        os_family="linux",
        os_name="AlmaLinux",
        os_version="9.4",
        disk=1,
        shares=("100", "101"),
    )
    assert (minimal.id, minimal.name) == ("1", "minimal")
    assert minimal.marketplace_uri == "https://appdb.egi.eu/store/vo/image/0a1b2c3d-0000-4000-8000-000000000002:1002/"


def test_both_the_template_and_its_image_must_be_for_the_group() -> None:
    mine = template(1, DISK, rights="g", gid=101)
    assert offered([mine], [image(5)])[0][0].shares == ("101",)
    assert offered([template(1, DISK)], [image(5, rights="g", gid=100)])[0][0].shares == ("100",)
    assert ids([mine], [image(5, rights="g", gid=100)]) == []
    grant = Rule(GROUP | 101, IMAGES | TEMPLATES | ALL, 1, ALL)
    shared = offered([template(1, DISK, rights="")], [image(5, rights="")], rules=[grant])
    assert shared[0][0].shares == ("101",)


def test_what_is_private_is_told_once_and_only_if_it_was_made_to_hold_an_appliance() -> None:
    # people make templates of their own of images that hold appliances
    assert fault([template(1, DISK, rights="")], [image(5, MARK)]) is None
    assert fault([template(1, DISK, rights="")]) is None
    made = [template(number, DISK + MARK, rights="g") for number in range(20, 32)]
    found, (problem,) = offered(made, [image(5)])
    assert found == ()
    assert problem.reason == (
        "12 hold an appliance, and no group that serves a VO may use them and their images: "
        "20, 21, 22, 23, 24, 25, 26, 27, 28, 29 …"
    )
    unsure = fault(made[:1], [image(5)], rules=None)
    assert unsure is not None and unsure.endswith(": 20; rules that might let one cannot be read")


@pytest.mark.parametrize("state", [0, 3, 4, 5, 7, 9, 10])
def test_an_image_from_which_nothing_can_be_started(state: int) -> None:
    reason = fault([template(1, DISK)], [image(5, state=state)])
    assert reason == f"it is left out: its image, 5, is in state {state}, from which nothing can be started"


@pytest.mark.parametrize("state", [1, 2, 6, 8, 99])
def test_an_image_that_is_there(state: int) -> None:
    assert ids([template(1, DISK)], [image(5, state=state)]) == ["1"]


def test_an_image_that_is_gone_and_one_that_is_out_of_sight() -> None:
    assert fault([template(1, DISK)]) == "it is left out: its image, 5, is not there"
    assert ids([template(1, DISK)], sees_images=False) == ["1"]
    assert fault([template(1, "<DISK><IMAGE_ID>five</IMAGE_ID></DISK>")], [image(5)]) is not None


def test_images_that_are_named() -> None:
    rows = [image(5, name="alma", uid=3), image(6, MARK, name="alma", uid=0)]

    def uri(disk: str, uid: int = 0) -> Optional[str]:
        found, _ = offered([template(1, f"<DISK><IMAGE>alma</IMAGE>{disk}</DISK>", uid=uid)], rows)
        return found[0].marketplace_uri if found else "nothing"

    registry = "https://registry.example.org/1"
    assert uri("") == uri("<IMAGE_UNAME>user0</IMAGE_UNAME>", 3) == uri("<IMAGE_UID>0</IMAGE_UID>", 3) == registry
    assert uri("", 3) is None
    assert uri("", 9) == uri("<IMAGE_UNAME>nobody</IMAGE_UNAME>") == "nothing"


def test_which_disk_counts() -> None:
    volatile, other = "<DISK><SIZE>100</SIZE></DISK>", "<DISK><IMAGE_ID>6</IMAGE_ID></DISK>"
    rows = [image(5, MARK, size=1024), image(6, size=4096)]
    assert offered([template(1, volatile + DISK + other)], rows)[0][0].disk == 1
    assert ids([template(1, volatile)], rows) == []
    # a mark on the disk itself comes before all others
    disk = "<DISK><IMAGE_ID>5</IMAGE_ID><VMCATCHER_EVENT_AD_MPURI>uri:disk</VMCATCHER_EVENT_AD_MPURI></DISK>"
    assert offered([template(1, disk + MARK)], rows)[0][0].marketplace_uri == "uri:disk"
    # of a StratusLab cloud, that has no images
    source = "http://marketplace.example.org/metadata/a/b/c"
    assert offered([template(1, f"<DISK><SOURCE>{source}</SOURCE></DISK>")])[0][0].marketplace_uri == source
    assert ids([template(1, "<DISK><SOURCE>/dev/sdb</SOURCE></DISK>")]) == []


def test_what_was_retired_is_gone_without_a_word() -> None:
    retired = "<CLOUDKEEPER_EXPIRED>yes</CLOUDKEEPER_EXPIRED>"
    assert fault([template(1, DISK + MARK + retired)], [image(5)]) is None
    assert fault([template(1, DISK + MARK)], [image(5, retired)]) is None


def test_what_people_call_an_image() -> None:
    form = "https://occi.example.org/os_tpl#uuid_{term}_{id}"
    assert (
        named(form, "12", "AlmaLinux 9 (fedcloud)") == "https://occi.example.org/os_tpl#uuid_almalinux_9_fedcloud__12"
    )
    assert ids([template(1, DISK, name="é{id}")], [image(5)], ids=form) == [
        "https://occi.example.org/os_tpl#uuid__id__1"
    ]


def test_sizes_and_numbers_that_make_no_sense() -> None:
    assert offered([template(1, DISK)], [image(5, size="big")])[0][0].disk is None
    with pytest.raises(ValueError, match="image 5 has no state"):
        image_of(image(5, state="well"))
    told = template_of(template(1, "<VCPU>two</VCPU><MEMORY>nan</MEMORY><OS><ARCH>i686</ARCH></OS>"))
    assert (told.cores, told.memory, told.architecture) == (1, None, "i686")
    bare = template_of(fromstring("<VMTEMPLATE><ID>1</ID><UID>0</UID><GID>0</GID></VMTEMPLATE>"))
    assert (bare.name, bare.disk, bare.architecture) == ("", {}, None)
