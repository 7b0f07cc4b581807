"""VMUUIDs, in both styles."""

from __future__ import annotations

from datetime import timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.row import LATEST
from fedcloud_plugins.opennebula.vmuuid import Naming, id_of, zone_of

STIME = 1769558400  # 2026-01-28 00:00:00 UTC


def test_our_own_style() -> None:
    expected = "https://one.example.org:2633/rpc2/compute/4711 2026-01-28 00:00:00+00:00"
    for endpoint in ("https://one.example.org:2633/RPC2", "https://One.example.org:2633/RPC2/"):
        assert Naming(endpoint).uuid(4711, STIME) == expected
    assert id_of(expected) == (4711, STIME)


def test_the_style_of_oneacct() -> None:
    naming = Naming("http://one.example.org:2633", zone_of("Europe/Prague"))
    assert naming.uuid(1, STIME) == "http://one.example.org:2633/compute/1 2026-01-28 01:00:00+01:00"
    assert naming.uuid(1, STIME + 180 * 86400).endswith("+02:00")
    assert Naming("http://x", zone_of("-03:30")).uuid(1, STIME) == "http://x/compute/1 2026-01-27 20:30:00-03:30"
    assert zone_of(None) is timezone.utc


@pytest.mark.parametrize("name", ["Europe/Nowhere", "+25:00", "../../etc/passwd", "1", ""])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(ConfigurationError, match="uuid_zone"):
        zone_of(name)


@given(
    id_=st.integers(0, 2**31 - 1),
    stime=st.integers(0, LATEST),
    zone=st.sampled_from((None, "Europe/Prague", "America/St_Johns", "Asia/Kathmandu", "+05:30")),
)
def test_there_and_back(id_: int, stime: int, zone: str) -> None:
    assert id_of(Naming("http://one.example.org:2633/RPC2", zone_of(zone)).uuid(id_, stime)) == (id_, stime)


@pytest.mark.parametrize(
    "uuid",
    [
        "",
        "6f6e6500-0000-4000-8000-000000000036",
        "http://x/compute/ 2026-01-28 00:00:00+00:00",
        "http://x/compute/99999999999 2026-01-28 00:00:00+00:00",
        "http://x/compute/1 2026-13-28 00:00:00+00:00",
        "http://x/compute/1 2026-01-28 00:00:00",
        "http://x/compute/1 2026-01-28 00:00:00+99:00",
    ],
)
def test_what_is_none_of_ours(uuid: str) -> None:
    with pytest.raises(ValueError):
        id_of(uuid)
