"""FQANs in their forms, and the group that they lead to."""

from __future__ import annotations

import pytest

from fedcloud_agent.site.fqan import Fqan, mapped, parse_fqan


@pytest.mark.parametrize(
    ("text", "fqan"),
    [
        ("/ops", Fqan("ops")),
        ("/ops/Role=NULL/Capability=NULL", Fqan("ops")),
        ("/vo.example.org/a/b/Role=admin", Fqan("vo.example.org", ("a", "b"), "admin")),
        ("/ops/Role=r/Capability=c", Fqan("ops", (), "r", "c")),
        ("/ops/Capability=NULL", Fqan("ops")),
        ("/VO=ops/GROUP=/ops/mon/ROLE=r", Fqan("ops", ("mon",), "r")),
        ("/VO=ops", Fqan("ops")),
        ("/VO=ops/Role=NULL/Capability=NULL", Fqan("ops")),
    ],
)
def test_a_fqan(text: str, fqan: Fqan) -> None:
    assert parse_fqan(text) == fqan
    assert parse_fqan(fqan.long) == parse_fqan(str(fqan)) == fqan


def test_its_forms() -> None:
    fqan = Fqan("vo", ("g",), "r")
    assert str(fqan) == "/vo/g/Role=r"
    assert fqan.long == "/vo/g/Role=r/Capability=NULL"
    assert Fqan("Vo_x").suffix == "/VO=Vo_x/Role=NULL/Capability=NULL"


@pytest.mark.parametrize(
    "text", ["", "ops", "/", "//a", "/ops/", "/o ps", "/ops/Role=a/b", "/VO=a/GROUP=/b", "/ops\n", "/../x", "/ops/R=x"]
)
def test_no_fqan(text: str) -> None:
    with pytest.raises(ValueError, match="is no FQAN"):
        parse_fqan(text)


def test_the_group_of_the_first_that_leads_anywhere() -> None:
    rules = [(parse_fqan("/vo/Role=admin"), "admins"), (parse_fqan("/vo/g"), "g")]
    by_vo = {"vo": "all"}
    assert mapped([parse_fqan("/other"), parse_fqan("/vo/Role=admin")], rules, by_vo) == "admins"
    assert mapped([parse_fqan("/vo/Role=unknown")], rules, by_vo) == "all"
    assert mapped([parse_fqan("/vo/g/Role=NULL")], rules, by_vo) == "g"
    assert mapped([parse_fqan("/other")], rules, by_vo) is None
