"""The worked examples of the format's description, and the rules that shape a measurement."""

from __future__ import annotations

import calendar
from typing import List, Optional, Sequence, Tuple

import pytest

from fedcloud_agent.accounting.life import Life, cpu, cpu_count, resized, runs, wall
from fedcloud_agent.accounting.measurement import Counters, Measurement, Origin, Rules, Sent, measurements
from fedcloud_agent.accounting.record import Frame, Subject, fields_of, render
from fedcloud_agent.clock import month_of, month_start
from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED
from tests.federation.central.repository import Repository

SUBJECT = Subject("vm-1", "worker", "42", "7", "/DC=org/CN=Jane", "vo.example.org", 0, 1, 2048, 20, None, None, None)
FRAME = Frame("EXAMPLE-SITE", "one.example.org", "fedcloud-agent/0.1 (Test)", "0.4", "bare", True, None, None)
PLAIN, NONE = Rules(), Counters()


def at(text: str) -> int:
    """Return the instant of ``YYYY-MM-DD[ HH:MM:SS]``."""
    date, _, clock = text.partition(" ")
    year, month, day = (int(part) for part in date.split("-"))
    hour, minute, second = (int(part) for part in (clock or "00:00:00").split(":"))
    return calendar.timegm((year, month, day, hour, minute, second))


def month(text: str) -> int:
    return month_of(at(f"{text}-01"))


def due(
    life: Life,
    as_of: int,
    last: Optional[Sent] = None,
    status: str = STARTED,
    origin: Optional[Origin] = None,
    rules: Rules = PLAIN,
    counters: Counters = NONE,
    changed: Optional[int] = None,
) -> List[Measurement]:
    return measurements(
        life,
        counters,
        COMPLETED if life.end is not None else status,
        changed,
        last,
        as_of,
        origin or Origin(month_of(life.start)),
        rules,
    )


def centre(rows: Sequence[Measurement], start: int, frame: Frame = FRAME) -> List[Tuple[str, int, int]]:
    """Load the rows and return (month, wall, cpu) as the repository shows them."""
    repository = Repository()
    header = f"APEL-cloud-message: v{frame.version}\n"
    for row in rows:
        loaded = repository.load(header + render(fields_of(SUBJECT._replace(start=start), row, frame)) + "%%\n")
        assert loaded.accepted, loaded.reason
    return [
        (f"{year}-{number:02d}", usage.wall or 0, usage.cpu or 0)
        for (_, year, number), usage in sorted(repository.usage().items())
    ]


def test_a_straight_life_over_three_months() -> None:
    life = Life(at("2026-01-20 12:00:00"), at("2026-03-05 06:00:00"), None, ((0, 2),))
    rows = due(life, at("2026-03-05 07:00:00"))
    assert [(r.measured, r.wall, r.cpu, r.end, r.status) for r in rows] == [
        (1769903999, 993600, 1987200, None, STARTED),
        (1772323199, 3412800, 6825600, None, STARTED),
        (1772690400, 3780000, 7560000, 1772690400, COMPLETED),
    ]
    assert centre(rows, life.start) == [
        ("2026-01", 993600, 1987200),
        ("2026-02", 2419200, 4838400),
        ("2026-03", 367200, 734400),
    ]


@pytest.mark.parametrize("version", ["0.4", "0.2"])
def test_a_suspended_life_in_both_versions_of_records(version: str) -> None:
    start, stop = at("2026-01-28"), at("2026-02-12")
    life = Life(start, stop, ((start, at("2026-01-30")), (at("2026-02-10"), stop)), ((0, 1),))
    rows = due(life, stop)
    assert [(r.measured, r.wall, r.suspend, r.status) for r in rows] == [
        (1769903999, 172800, 172800, SUSPENDED),
        (1770854400, 345600, 950400, COMPLETED),
    ]
    assert [w for _, w, _ in centre(rows, start, FRAME._replace(version=version))] == [172800, 172800]


def test_an_outage_over_the_end_of_a_month() -> None:
    life = Life(at("2025-12-15"), None, None, ((0, 4),))
    first = due(life, at("2026-01-28"))
    assert [r.wall for r in first] == [1468800, 3801600]
    last = Sent(first[-1].month, first[-1].measured, first[-1].wall, first[-1].cpu, None, None)
    after = due(life, at("2026-02-03"), last)
    assert [(r.measured, r.wall) for r in after] == [(1769903999, 4147200), (1770076800, 4320000)]
    assert [w for _, w, _ in centre([*first, *after], life.start)] == [1468800, 2678400, 172800]


def test_a_life_that_ends_exactly_at_midnight_of_the_first_belongs_to_the_new_month() -> None:
    life = Life(at("2026-01-20"), at("2026-02-01"), None, ((0, 1),))
    rows = due(life, at("2026-02-01 01:00:00"))
    assert [(r.month, r.status) for r in rows] == [(month("2026-01"), STARTED), (month("2026-02"), COMPLETED)]
    assert [w for _, w, _ in centre(rows, life.start)] == [12 * 86400, 0]


def test_nothing_sinks_when_the_end_turns_out_to_be_earlier_than_what_was_reported() -> None:
    life = Life(at("2026-01-20"), at("2026-01-31 20:00:00"), None, ((0, 2),))
    reported = Sent(month("2026-02"), at("2026-02-02"), at("2026-02-02") - life.start, 10**7, None, None)
    (row,) = due(life, at("2026-02-03"), reported)
    assert (row.month, row.end, row.wall, row.cpu) == (month("2026-02"), at("2026-02-02"), reported.wall, 10**7)


def test_a_closed_month_is_not_measured_again() -> None:
    life = Life(at("2026-01-20"), None, None, ((0, 1),))
    closed = Sent(month("2026-01"), month_start(month("2026-02")) - 1, 12 * 86400, 12 * 86400, None, None)
    assert [r.month for r in due(life, at("2026-02-01 00:10:00"), closed)] == [month("2026-02")]


def test_continuing_a_former_tool_makes_the_present_month_only() -> None:
    life = Life(at("2025-06-01"), None, None, ((0, 1),))
    (row,) = due(life, at("2026-02-03"), origin=Origin(None))
    assert row.month == month("2026-02") and row.wall == at("2026-02-03") - life.start


def test_a_baseline_takes_off_what_was_reported_under_another_name() -> None:
    life = Life(at("2025-12-15"), None, None, ((0, 2),))
    baseline = at("2026-01-10")
    rows = due(life, at("2026-02-03"), origin=Origin(month_of(baseline), baseline))
    assert [(r.month, r.wall, r.cpu) for r in rows] == [
        (month("2026-01"), 22 * 86400, 44 * 86400),
        (month("2026-02"), 24 * 86400, 48 * 86400),
    ]
    ended = Life(at("2025-12-15"), at("2026-01-05"), None, ((0, 2),))
    assert due(ended, at("2026-02-03"), origin=Origin(month_of(baseline), baseline)) == []


def test_a_machine_that_starts_after_the_listing_is_not_measured() -> None:
    assert due(Life(1000, None, None, ((0, 1),)), 999) == []


def test_cpu_counts_each_size_for_the_time_that_it_was_in_force() -> None:
    life = Life(0, None, None, ((0, 2), (100, 4), (300, 1)))
    assert cpu(life, 400) == 100 * 2 + 200 * 4 + 100 * 1
    assert [cpu_count(life, instant) for instant in (99, 100, 299, 300)] == [2, 4, 4, 1]
    paused = Life(0, 350, ((50, 150), (250, None)), ((0, 2), (100, 4)))
    assert (wall(paused, 1000), cpu(paused, 1000)) == (200, 50 * 2 + 50 * 4 + 100 * 4)
    assert [runs(paused, instant) for instant in (49, 50, 150, 250)] == [False, True, False, True]


def test_a_weighted_cpu_count_is_the_mean_of_the_month() -> None:
    start = at("2026-02-01")
    life = Life(start, None, None, ((start, 2), (start + 86400, 4)))
    (row,) = due(life, start + 4 * 86400, rules=Rules(cpu_count="weighted"))
    assert row.cpu_count == "3.5"
    assert due(life, start + 3 * 86400, rules=Rules(cpu_count="weighted"))[0].cpu_count == "3.333"


def test_sizes_never_go_back_in_time() -> None:
    assert resized(((100, 2),), 4, 50) == ((100, 2), (100, 4))
    assert resized(((100, 2),), 2, 500) == ((100, 2),)


def test_counters_that_were_not_observed_at_the_edge_are_shared_by_running_time() -> None:
    start = at("2026-01-22")
    life = Life(start, None, None, ((0, 1),))
    rows = due(life, at("2026-02-11"), counters=Counters(1000, 20 * 10**9, None), rules=Rules(cpu_duration="measured"))
    assert [(r.cpu, r.network_in, r.network_out) for r in rows] == [(500, 10**10, None), (1000, 2 * 10**10, None)]


def test_a_counter_that_falls_silent_keeps_its_value() -> None:
    life = Life(at("2026-01-22"), None, None, ((0, 1),))
    last = Sent(month("2026-01"), at("2026-01-30"), 8 * 86400, 8 * 86400, 7 * 10**9, 3 * 10**9)
    rows = due(life, at("2026-01-31"), last, counters=Counters(None, None, 2 * 10**9))
    assert [(r.network_in, r.network_out) for r in rows] == [(7 * 10**9, 3 * 10**9)]


def test_the_status_of_a_closed_month_is_the_one_that_held_then() -> None:
    life = Life(at("2026-01-10"), None, None, ((0, 1),))
    rows = due(life, at("2026-02-10"), status=SUSPENDED, changed=at("2026-01-20"))
    assert [r.status for r in rows] == [SUSPENDED, SUSPENDED]
    rows = due(life, at("2026-02-10"), status=SUSPENDED, changed=at("2026-02-05"))
    assert [r.status for r in rows] == [STARTED, SUSPENDED]
