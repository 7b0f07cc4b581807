"""The truth about a server is told in spans; the seconds of a month follow from them."""

from __future__ import annotations

from tests.federation.openstack.history import Span, life_from, spans


def test_spans_follow_from_changes() -> None:
    assert spans([(10, "building"), (15, "active"), (40, "stopped")], None) == [
        ("building", 10, 15),
        ("active", 15, 40),
        ("stopped", 40, None),
    ]


def test_what_took_no_time_is_left_out() -> None:
    assert spans([(10, "building"), (10, "active")], 30) == [("active", 10, 30)]


def test_the_same_value_twice_is_one_span() -> None:
    assert spans([(10, "a"), (20, "b"), (20, "a")], 30) == [("a", 10, 30)]


def test_span_within_a_window() -> None:
    assert Span("active", 10, 20).within(0, 15) == 5
    assert Span("active", 10, None).within(15, 100) == 85
    assert Span("active", 10, 20).within(20, 30) == 0


def test_seconds_and_cpu_seconds_of_a_resized_server() -> None:
    life = life_from(
        {
            "id": "x",
            "project_id": "p",
            "user_id": "u",
            "created": 100,
            "ended": 400,
            "purged": False,
            "states": [["active", 100, 200], ["stopped", 200, 300], ["active", 300, 400]],
            "flavors": [["small", 100, 350], ["large", 350, 400]],
            "sizes": {"small": [1, 2048, 20], "large": [4, 8192, 90]},
        }
    )
    assert life.seconds(0, 1000) == 300
    assert life.seconds(0, 1000, {"active"}) == 200
    assert life.seconds(150, 310, {"active"}) == 60
    assert life.cpu_seconds(0, 1000) == 250 * 1 + 50 * 4
    assert life.cpu_seconds(0, 1000, {"active"}) == 150 * 1 + 50 * 4
    assert life.cpu_seconds(360, 370) == 40
