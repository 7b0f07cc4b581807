"""What looks like the subject of a certificate."""

from __future__ import annotations

import pytest

from fedcloud_agent.pki.dn import CONTROL_CHARACTER, UNPARSABLE, UnfitNameError
from fedcloud_agent.site.identity import (
    DOUBLE_QUOTE,
    PIPE,
    PROXY,
    VOMS_SUFFIX,
    checkin_identifier,
    first_known,
    slash_dn,
    subject,
)


@pytest.mark.parametrize(
    "text",
    [
        "/DC=org/DC=example/CN=Jane Doe",
        "/C=GR/O=HellasGrid/OU=lab/CN=host/www.example.org",
        "/C=ES/CN=José/emailAddress=jose@example.org",
    ],
)
def test_a_slash_dn(text: str) -> None:
    assert slash_dn(text) == text
    assert slash_dn(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["jane", "/", "/jane/doe", "/CN=", "CN=Jane,O=x", "/ops/Role=NULL", "/CN=a\n/O=b", None, 7]
)
def test_no_slash_dn(text: object) -> None:
    assert slash_dn(text) is None


def test_the_first_source_that_knows() -> None:
    sources = {"a": lambda: None, "b": lambda: "", "c": lambda: "found", "d": lambda: "later"}
    assert first_known(("a", "b", "c", "d"), sources) == "found"
    assert first_known(("a",), sources) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/DC=org/CN=a|/DC=org/CN=b", PIPE),
        ('/DC=org/CN=a"b', DOUBLE_QUOTE),
        ("/DC=org/CN=a/VO=ops/Role=NULL/Capability=NULL", VOMS_SUFFIX),
        (r"CN=a/VO\=ops/Role\=NULL,DC=org", UNPARSABLE),
        ("/DC=org/CN=Ann/CN=proxy", PROXY),
        ("/DC=org/CN=Ann/CN=limited proxy", PROXY),
        ("/CN=alone", UNPARSABLE),
        ("/DC=org/CN=a\x01", CONTROL_CHARACTER),
    ],
)
def test_a_name_by_which_nobody_may_be_known(text: str, reason: str) -> None:
    with pytest.raises(UnfitNameError) as caught:
        subject(text)
    assert caught.value.reason == reason


def test_numbers_at_the_end_are_part_of_a_name() -> None:
    assert str(subject("/DC=org/CN=Robot - x/CN=1234")) == "/DC=org/CN=Robot - x/CN=1234"


def test_an_identifier_of_checkin() -> None:
    assert checkin_identifier("0a1b@egi.eu") == "0a1b@egi.eu"
    for other in ("ann", "a b@egi.eu", "@egi.eu", "/DC=org/CN=x", None, 7):
        assert checkin_identifier(other) is None
