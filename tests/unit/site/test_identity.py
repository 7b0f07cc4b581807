"""What looks like the subject of a certificate."""

from __future__ import annotations

import pytest

from fedcloud_agent.site.identity import first_known, slash_dn


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
