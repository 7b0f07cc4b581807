"""Identifiers: an alphabet that needs no escapes, no two things under one, and the same after every upgrade."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from fedcloud_agent.clouds.offer import Image
from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.identifiers import WIDTH, identifier
from tests.unit.infosys.world import NOW, OFFER, SETTINGS, seen, site, with_first

GOLDEN = Path(__file__).parents[2] / "data" / "infosys" / "identifiers.txt"


def test_names_that_fit_stay_as_they_are() -> None:
    assert identifier("ks.example.org", "main", "type", "m1.small") == "ks.example.org_main_type_m1.small"
    assert identifier("https://ks.example.org:5000/v3", "x") == "https://ks.example.org:5000/v3_x"


@given(st.text(max_size=300), st.text(max_size=300))
@example("a b", "a,b")
@example("", " ")
@example("dn:", "DN:")
@example("_a", "a")
@example("x" * 4000, "x" * 4001)
def test_what_is_different_stays_apart_in_an_alphabet_without_escapes(one: str, other: str) -> None:
    made = identifier("h.example.org", one)
    assert re.fullmatch(r"[A-Za-z0-9.:/@-][A-Za-z0-9._:/@-]*", made) and len(made) <= WIDTH
    assert "dn:" not in made.lower()
    assert (made == identifier("h.example.org", other)) == (one == other)


def test_the_first_character_is_no_underscore() -> None:
    assert not identifier("_x").startswith("_")
    assert identifier("").startswith("unnamed_")


def test_identifiers_are_those_of_former_releases() -> None:
    """Who changes this file renames what every reader of the federation knows the site by."""
    found = "".join(f"{entry.dn}\n" for entry in glue20.entries(site(), NOW))
    assert found == GOLDEN.read_text("ascii")


def test_neither_versions_nor_neighbours_nor_order_rename_anything() -> None:
    before = {entry.dn for entry in glue20.entries(site(), NOW)}
    upgraded = seen(
        endpoints=with_first(OFFER.endpoints, version="v2.2", implementation_version="2.96"),
        managers=with_first(OFFER.managers, product_version="2.96", hypervisor_version="9.0"),
        images=(*reversed(OFFER.images), Image("img 1", "near", "https://r.example.org/")),
        instance_types=tuple(reversed(OFFER.instance_types)),
        shares=tuple(reversed(OFFER.shares)),
    )
    after = {entry.dn for entry in glue20.entries(site(upgraded), NOW)}
    assert before < after and len(after - before) == 1


def test_two_clouds_behind_one_keystone_have_nothing_in_common() -> None:
    two = site(seen("north"), seen("south"), settings=replace(SETTINGS, services={}))
    dns = [entry.dn for entry in glue20.entries(two, NOW)]
    assert len(dns) == len(set(dns))
    ids = [dn.partition(",")[0].partition("=")[2] for dn in dns if "GLUE2GroupID" not in dn.partition(",")[0]]
    assert len(ids) == len(set(ids))
