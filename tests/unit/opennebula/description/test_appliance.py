"""The marks that image loops left, in the words of each of them."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

import pytest

from fedcloud_plugins.opennebula.description.appliance import Appliance, appliance_of, marks_of
from tests.unit.opennebula.elements import SETTINGS

KEYS = SETTINGS.image_keys
URI = "https://registry.example.org/store/vo/image/1:1/"


def marks(**values: str) -> Dict[str, str]:
    inside = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in values.items())
    return marks_of(fromstring(f"<TEMPLATE>{inside}</TEMPLATE>"))


def packed(told: Any) -> Dict[str, str]:
    text = told if isinstance(told, str) else base64.b64encode(json.dumps(told).encode()).decode()
    return marks(CLOUDKEEPER_APPLIANCE_ATTRIBUTES=text)


def appliance(*sources: Dict[str, str]) -> Appliance:
    return appliance_of(sources, KEYS)


def test_an_attribute_for_each_word() -> None:
    told = appliance(
        marks(
            CLOUDKEEPER_APPLIANCE_MPURI=URI,
            CLOUDKEEPER_APPLIANCE_BASE_MPURI="https://registry.example.org/store/vo/image/1",
            CLOUDKEEPER_APPLIANCE_VERSION="2026.11",
            CLOUDKEEPER_APPLIANCE_TITLE="AlmaLinux 9",
            CLOUDKEEPER_APPLIANCE_DESCRIPTION="For <all> & sundry",
            CLOUDKEEPER_APPLIANCE_ARCHITECTURE="x86_64",
            CLOUDKEEPER_APPLIANCE_OPERATING_SYSTEM="Linux AlmaLinux 9.4",
            CLOUDKEEPER_APPLIANCE_CORE="2",
            CLOUDKEEPER_APPLIANCE_RAM="2048",
        )
    )
    assert told == Appliance(
        URI,
        "https://registry.example.org/store/vo/image/1",
        "2026.11",
        "AlmaLinux 9",
        "For <all> & sundry",
        "x86_64",
        "linux",
        "AlmaLinux",
        "9.4",
        2,
        2048,
        False,
    )


def test_all_words_in_one_attribute() -> None:
    words = {
        "ad:mpuri": URI,
        "ad:base_mpuri": "https://registry.example.org/b",
        "hv:version": "3",
        "hv:ram_minimum": 512,
        "sl:os": "Linux",
        "sl:osname": "Ubuntu",
        "sl:osversion": "24.04",
        "sl:arch": "x86_64",
        "ad:other": None,
        "dc:title": " ",
    }
    told = appliance(packed(words))
    assert (told.uri, told.base_uri, told.version, told.memory, told.title) == (
        URI,
        "https://registry.example.org/b",
        "3",
        512,
        None,
    )
    assert (told.os_family, told.os_name, told.os_version, told.architecture) == ("linux", "Ubuntu", "24.04", "x86_64")
    # more than a template's value usually is
    assert appliance(packed({**words, "dc:description": "x" * 5000})).uri == URI


@pytest.mark.parametrize(
    "text", ["%%%", "bm8=", base64.b64encode(b"[1]").decode(), "A" * 100_000, "Wy" + "W1tb" * 9000]
)
def test_words_that_cannot_be_unpacked_are_none(text: str) -> None:
    assert packed(text).keys() <= {"CLOUDKEEPER_APPLIANCE_ATTRIBUTES"}
    assert appliance(packed(text)).uri is None


def test_marks_of_the_image_and_who_comes_first() -> None:
    image = marks(
        VMCATCHER_EVENT_AD_MPURI=URI,
        VMCATCHER_EVENT_HV_VERSION="5",
        VMCATCHER_EVENT_SL_OS="Linux",
        VMCATCHER_EVENT_SL_OSVERSION="7",
        VMCATCHER_EVENT_SL_ARCH="x86_64",
    )
    told = appliance({}, image, marks(CLOUDKEEPER_APPLIANCE_MPURI="uri:template", DESCRIPTION="ours"))
    assert (told.uri, told.version, told.description) == (URI, "5", "ours")
    assert (told.os_family, told.os_name, told.os_version) == ("linux", None, "7")
    assert appliance({}, {}, marks(CLOUDKEEPER_APPLIANCE_MPURI="uri:template")).uri == "uri:template"
    assert appliance({}, {}) == appliance() == Appliance(*[None] * 11, False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Linux Scientific Linux 6.5", ("linux", "Scientific Linux", "6.5")),
        ("Ubuntu 24.04", (None, "Ubuntu", "24.04")),
        ("Linux", ("linux", None, None)),
        ("CernVM", (None, "CernVM", None)),
        ("Windows Server 2019", ("windows", "Server", "2019")),
        ("Linux 9", ("linux", "9", None)),
        ("   ", (None, None, None)),
    ],
)
def test_systems(words: str, expected: Any) -> None:
    told = appliance({"CLOUDKEEPER_APPLIANCE_OPERATING_SYSTEM": words})
    assert (told.os_family, told.os_name, told.os_version) == expected


def test_odd_amounts_and_what_has_expired() -> None:
    for value in ("many", "-1", "0", "1" * 13, "٣"):
        assert appliance({"CLOUDKEEPER_APPLIANCE_RAM": value}).memory is None
    assert appliance(marks(CLOUDKEEPER_EXPIRED="yes")).expired
    assert marks_of(None) == {}
