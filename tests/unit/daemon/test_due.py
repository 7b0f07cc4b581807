from __future__ import annotations

import calendar
import time
from typing import List, Optional

import pytest

from fedcloud_agent.daemon.due import check, next_due
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import When

HOURLY = (When(every=3600),)


def at(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


NOW = at("2026-11-22 17:03:20")


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOW),
        (NOW, NOW + 3600),
        (NOW - 1, NOW + 3599),
        (NOW - 3600, NOW),
        (NOW - 3601, NOW),
        (NOW - 90 * 86400, NOW),
        (0, NOW),
    ],
)
def test_an_interval_counts_from_the_last_turn_and_is_made_up_for_once(last: Optional[int], due: int) -> None:
    assert next_due(last, HOURLY, NOW) == due


@pytest.mark.parametrize("back", [1, 3600, 86400, 20 * 365 * 86400])
def test_a_clock_set_back_delays_a_loop_by_one_interval_at_most(back: int) -> None:
    assert next_due(NOW + back, HOURLY, NOW) == NOW + 3600


@pytest.mark.parametrize("ahead", [7200, 86400, 20 * 365 * 86400])
def test_a_clock_set_ahead_makes_a_loop_due_now(ahead: int) -> None:
    assert next_due(NOW, HOURLY, NOW + ahead) == NOW + ahead


def turns(crontab: str, count: int, start: str = "2026-11-22 17:03:20") -> List[str]:
    found, last = [], at(start)
    for _ in range(count):
        due = next_due(last, (When(crontab=crontab),), last)
        assert due is not None and due > last
        last = due
        found.append(time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(due)))
    return found


@pytest.mark.parametrize(
    ("crontab", "expected"),
    [
        ("5 0 1 * *", ["Tue 2026-12-01 00:05:00", "Fri 2027-01-01 00:05:00", "Mon 2027-02-01 00:05:00"]),
        ("*/30 * * * *", ["Sun 2026-11-22 17:30:00", "Sun 2026-11-22 18:00:00", "Sun 2026-11-22 18:30:00"]),
        ("0 6 * * 0", ["Sun 2026-11-29 06:00:00", "Sun 2026-12-06 06:00:00"]),
        ("0 6 * * 7", ["Sun 2026-11-29 06:00:00"]),
        ("0 6 * * 1", ["Mon 2026-11-23 06:00:00", "Mon 2026-11-30 06:00:00"]),
        ("0 6 * * 1-5/2", ["Mon 2026-11-23 06:00:00", "Wed 2026-11-25 06:00:00", "Fri 2026-11-27 06:00:00"]),
        ("0 6 * * fri-mon", ["Mon 2026-11-23 06:00:00", "Fri 2026-11-27 06:00:00", "Sat 2026-11-28 06:00:00"]),
        ("0 6 * * 5-7", ["Fri 2026-11-27 06:00:00", "Sat 2026-11-28 06:00:00", "Sun 2026-11-29 06:00:00"]),
        ("0 6 * * */3", ["Wed 2026-11-25 06:00:00", "Sat 2026-11-28 06:00:00", "Sun 2026-11-29 06:00:00"]),
        ("0 0 29 feb *", ["Tue 2028-02-29 00:00:00"]),
        ("0 0 1 jan,jul *", ["Fri 2027-01-01 00:00:00", "Thu 2027-07-01 00:00:00"]),
        # restricted both, either day will do
        ("0 6 1 * mon", ["Mon 2026-11-23 06:00:00", "Mon 2026-11-30 06:00:00", "Tue 2026-12-01 06:00:00"]),
    ],
)
def test_a_crontab_line_means_what_cron_means_by_it(crontab: str, expected: List[str]) -> None:
    assert turns(crontab, len(expected)) == expected


def test_a_missed_turn_of_a_crontab_is_made_up_for_but_a_new_loop_waits() -> None:
    monthly = (When(crontab="5 0 1 * *"),)
    assert next_due(at("2026-10-31 12:00:00"), monthly, NOW) == NOW
    assert next_due(at("2026-11-01 00:05:00"), monthly, NOW) == at("2026-12-01 00:05:00")
    assert next_due(None, monthly, NOW) == at("2026-12-01 00:05:00")
    assert next_due(NOW + 10**9, monthly, NOW) == at("2026-12-01 00:05:00"), "the clock was set back"


def test_the_earliest_of_several_schedules_wins() -> None:
    both = (When(every=3600), When(crontab="5 0 1 * *"))
    late = at("2026-11-30 23:50:00")
    assert next_due(late, both, late) == at("2026-12-01 00:05:00")
    assert next_due(at("2026-12-01 00:05:00"), both, at("2026-12-01 00:05:01")) == at("2026-12-01 01:05:00")


def test_a_day_that_never_comes() -> None:
    assert next_due(NOW, (When(crontab="0 0 31 2 *"),), NOW) is None
    assert next_due(NOW, (), NOW) is None


@pytest.mark.parametrize("crontab", ["50-10 * * * *", "mon * * * *", "* * * 12-2 *", "* * * * mon-tue-wed"])
def test_nonsense_is_a_fault_of_the_configuration(crontab: str) -> None:
    with pytest.raises(ConfigurationError, match="is no crontab line"):
        check([When(crontab=crontab)])


def test_local_time_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert turns("30 2 8 3 *", 1, "2026-03-08 00:00:00") == ["Sun 2026-03-08 02:30:00"]
    finally:
        monkeypatch.undo()
        time.tzset()
