"""Offers as a file: what was written is read again, and what is no such file is named with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import CloudOffer, Endpoint, Image, Quota, Share, Storage
from fedcloud_agent.clouds.offer_file import NamedOffer, encode, read
from fedcloud_agent.errors import RemoteDataError

OFFER = CloudOffer(
    1000,
    (Endpoint("https://ks.example.org:5000/v3", "OpenStack", authentication=("oidc", "x509")),),
    shares=(Share("ops", "p", quotas=(Quota("cores", -1, 0), Quota("ram"))),),
    images=(Image("i", shares=()), Image("j", "caf\u00e9", shares=("p",)), Image("k")),
    storage=(Storage("s", (), (("https", "1.1"),)),),
    problems=(Problem("project x", "gone"),),
)
OFFERS = [NamedOffer("main", "ks.example.org", "OpenStack", OFFER), NamedOffer("b", "b", "B", CloudOffer(1, ()))]


@pytest.fixture
def document() -> Dict[str, Any]:
    made: Dict[str, Any] = json.loads(json.dumps(encode(OFFERS)))
    return made


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "offers.json"
    path.write_text(json.dumps(encode(OFFERS)))
    assert read(path) == OFFERS


def test_not_told_stays_apart_from_none(document: Dict[str, Any]) -> None:
    images = document["clouds"][0]["offer"]["images"]
    assert [image.get("shares") for image in images] == [[], ["p"], None]
    assert "name" not in images[0]


def damaged(document: Dict[str, Any], tmp_path: Path) -> str:
    path = tmp_path / "offers.json"
    path.write_text(json.dumps(document))
    with pytest.raises(RemoteDataError) as error:
        read(path)
    assert str(path) in error.value.message
    return error.value.message


def test_faults_are_named_with_their_place(document: Dict[str, Any], tmp_path: Path) -> None:
    offer = document["clouds"][0]["offer"]
    offer["images"][1]["id"] = 5
    assert "clouds[0].offer.images[1].id is 5, not of the kind str" in damaged(document, tmp_path)
    offer["images"][1] = {"name": "x"}
    assert "clouds[0].offer.images[1] lacks the key 'id'" in damaged(document, tmp_path)
    offer["images"][1] = {"id": "x", "colour": "red"}
    assert "clouds[0].offer.images[1] has the key 'colour'" in damaged(document, tmp_path)
    offer["images"] = "many"
    assert "clouds[0].offer.images is not a list" in damaged(document, tmp_path)
    offer["images"], offer["as_of"] = [], True
    assert "as_of is true, not of the kind int" in damaged(document, tmp_path)
    offer["as_of"], offer["storage"][0]["protocols"] = 1, [["https"]]
    assert "protocols[0] is not a list of 2" in damaged(document, tmp_path)
    document["format"] = 2
    assert "format 1" in damaged(document, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_file_of_offers_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(RemoteDataError):
        read(path)
    with pytest.raises(RemoteDataError, match="cannot be read"):
        read(tmp_path / "missing")
