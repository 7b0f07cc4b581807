"""Appliances of the Marketplace as images."""

from __future__ import annotations

import pytest

from fedcloud_agent.clouds.offer import Image
from fedcloud_plugins.stratuslab.marketplace import Metadata, metadata_of, with_marketplace

BASE = "https://marketplace.example.org/metadata/BN1EEkPiBx87_uLj2-sdybSI-Xb"
FULL = f"{BASE}/jane@example.org/2013-05-01T10:11:12Z"
ID = "BN1EEkPiBx87_uLj2-sdybSI-Xb"


def test_the_parts_of_an_address() -> None:
    assert metadata_of(FULL) == Metadata(ID, BASE, "jane@example.org", "2013-05-01T10:11:12Z")
    assert metadata_of(f"{BASE}/") == metadata_of(BASE) == Metadata(ID, BASE, None, None)


@pytest.mark.parametrize("uri", ["", "urn:x", "https://registry.example.org/store/1", f"{FULL}/more", f"{BASE}?x=1"])
def test_addresses_from_elsewhere(uri: str) -> None:
    assert metadata_of(uri) is None


def test_images_go_by_the_marketplaces_names() -> None:
    found = with_marketplace(
        [
            Image("3", "ttylinux", FULL, shares=("101",)),
            Image("4", "the same for others", FULL, shares=("100", "20")),
            Image("5", "from elsewhere", "https://registry.example.org/store/1"),
            Image("6", "ours"),
        ],
        [],
    )
    assert found == (
        Image(ID, "ttylinux", FULL, "2013-05-01T10:11:12Z", base_uri=BASE, shares=("20", "100", "101")),
        Image("5", "from elsewhere", "https://registry.example.org/store/1"),
        Image("6", "ours"),
    )


def test_appliances_that_the_site_names() -> None:
    other = "https://marketplace.example.org/metadata/other"
    assert with_marketplace([], [other]) == (Image("other", "other", other, base_uri=other),)
    # whatever a template says, everybody may start it
    (both,) = with_marketplace([Image("3", "ttylinux", FULL, shares=("101",))], [FULL])
    assert (both.name, both.shares) == ("ttylinux", None)
    elsewhere = "https://registry.example.org/store/1"
    assert with_marketplace([], [elsewhere, elsewhere]) == (Image(elsewhere, marketplace_uri=elsewhere),)
