from __future__ import annotations

from dataclasses import replace

from fedcloud_agent.infosys import table
from fedcloud_agent.infosys.model import Downtime
from tests.unit.infosys.world import NOW, SEEN, site


def test_each_door_has_a_row() -> None:
    rows = table.endpoints(site())
    assert rows[0] == (
        *("main", "OpenStack", "v2.1", "https://ks.example.org:5000/v3", "ok", "production"),
        "ops, vo.example.org",
    )
    assert [row[0] for row in rows] == ["main", "main", "main.object", "cdmi"]
    assert {len(row) for row in rows} == {len(table.ENDPOINTS)}


def test_a_downtime_is_shown() -> None:
    down = replace(SEEN, downtimes=(Downtime(NOW - 1, NOW + 60, NOW + 3600, "disks"),))
    assert table.endpoints(site(down))[0][5] == ("production (downtime 2026-11-22T14:01:00Z to 2026-11-22T15:00:00Z)")


def test_each_share_has_a_row_that_keeps_not_told_from_nothing() -> None:
    assert table.shares(site()) == [
        ("main", "ops", "egi-ops", "1", "1", "3", "10"),
        ("main", "vo.example.org", "vo-example", "2", "2", "not told", "not told"),
    ]
