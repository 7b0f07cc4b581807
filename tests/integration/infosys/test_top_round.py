"""The yardstick of the bench: a site that is as large as was asked for, and rounds that do what they are said to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.bdii_round import BdiiRound, differences
from bench.big_site import LEAST, NOW, cloud_offer, site_offer
from fedcloud_agent.infosys import glue20, ldif
from fedcloud_agent.infosys.sifting import sift
from tests.federation.top.directory import SCHEMA
from tests.federation.top.sources import LIMIT


@pytest.mark.parametrize("entries", [LEAST, 1000])
def test_a_site_is_as_large_as_was_asked_for_and_keeps_every_rule(entries: int) -> None:
    sifted = sift(site_offer(entries), NOW)
    assert sifted.aside == {} and sifted.repeated == ()
    before = list(glue20.entries(sifted.site, NOW))
    assert len(before) == entries
    for variant, wanted in (
        ("a", (0, 0, 0)),
        ("b", (0, entries // 100, 0)),
        ("e", (entries // 100, entries // 100, entries // 100)),
    ):
        after = list(glue20.entries(site_offer(entries, variant), NOW))
        assert sift(site_offer(entries, variant), NOW).aside == {}
        adds, modifies, deletes = map(len, differences(before, after))
        assert (adds, modifies, deletes) == wanted


def test_ten_thousand_entries_are_what_a_large_site_has() -> None:
    offer = cloud_offer(10_000)
    assert len(offer.images) + len(offer.instance_types) > 9_000 and len(offer.shares) == 40
    size = sum(len(ldif.record(entry)) for entry in glue20.entries(site_offer(10_000), NOW))
    assert 8_000_000 < size < LIMIT


def test_too_small_a_site_and_an_unknown_variant_are_refused() -> None:
    for entries, variant in ((LEAST - 1, "a"), (LEAST, "c")):
        with pytest.raises(ValueError, match="at least"):
            cloud_offer(entries, variant)


@pytest.mark.skipif(not (SCHEMA / "GLUE20.schema").exists(), reason="slapd and glue-schema are not installed")
def test_rounds_and_bare_operations_lead_there_and_back(tmp_path: Path) -> None:
    with BdiiRound(tmp_path, 400) as bench:
        assert bench.first > 0
        bench.check("a")
        for variant in ("a", "b", "e"):
            assert bench.round(variant) > 0
            bench.check("a")
            if variant != "a":
                assert bench.bare(variant) > 0
        with pytest.raises(RuntimeError, match="does not hold variant b"):
            bench.check("b")
