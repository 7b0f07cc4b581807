"""The central summariser counts what the real one counts, with what it counts twice, not at all or below nothing."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcloud_agent.clock import DAY, month_end, month_of, month_start, parse_month
from tests.federation.central import CloudSummary, Repository, Usage
from tests.federation.central.writing import message, record

Record = Mapping[str, object]
Months = Dict[Tuple[int, int], Optional[int]]

START = 1768910400
"""2026-01-20 12:00."""
JANUARY, FEBRUARY, MARCH = (month_start(parse_month(month)) for month in ("2026-01", "2026-02", "2026-03"))


def walls(*bodies: str) -> Months:
    """Return the wall seconds of vm-1 by year and month, after all messages were loaded in this order."""
    with Repository() as repository:
        for body in bodies:
            outcome = repository.load(body)
            assert outcome.accepted, outcome.reason
        return {(year, month): used.wall for (_, year, month), used in repository.usage().items()}


def each(*records: Record) -> List[str]:
    """Return one message for each record."""
    return [message(one) for one in records]


# ---- the worked examples

STRAIGHT = [
    record(StartTime=START, RecordCreateTime=1769903999, WallDuration=993600, CpuDuration=1987200, CpuCount=2),
    record(StartTime=START, RecordCreateTime=1772323199, WallDuration=3412800, CpuDuration=6825600, CpuCount=2),
    record(
        StartTime=START,
        RecordCreateTime=1772690400,
        EndTime=1772690400,
        Status="completed",
        WallDuration=3780000,
        CpuDuration=7560000,
        CpuCount=2,
    ),
]


@pytest.mark.parametrize("bodies", [[message(*STRAIGHT)], each(*STRAIGHT), each(*reversed(STRAIGHT))])
def test_example_a_straight(bodies: List[str]) -> None:
    with Repository() as repository:
        for body in bodies:
            repository.load(body)
        assert repository.usage() == {
            ("vm-1", 2026, 1): Usage(993600, 1987200, None, None),
            ("vm-1", 2026, 2): Usage(2419200, 4838400, None, None),
            ("vm-1", 2026, 3): Usage(367200, 734400, None, None),
        }
        rows = repository.summarise(MARCH + 6 * DAY)
        assert [(row.year, row.month, row.status, row.wall, row.cpu, row.vms) for row in rows] == [
            (2026, 1, "started", 993600, 1987200, 1),
            (2026, 2, "started", 2419200, 4838400, 1),
            (2026, 3, "completed", 367200, 734400, 1),
        ]


SUSPENDED: Dict[str, object] = {
    "StartTime": 1769558400,
    "Status": "suspended",
    "RecordCreateTime": 1769903999,
    "WallDuration": 172800,
    "SuspendDuration": 172800,
}
DELETED: Dict[str, object] = {
    "StartTime": 1769558400,
    "Status": "completed",
    "RecordCreateTime": 1770854400,
    "EndTime": 1770854400,
    "WallDuration": 345600,
    "SuspendDuration": 950400,
}


def test_example_b_suspend() -> None:
    assert walls(*each(record(**SUSPENDED), record(**DELETED))) == {(2026, 1): 172800, (2026, 2): 172800}


def test_example_b_without_record_create_time_loses_january() -> None:
    undated = {**SUSPENDED, "RecordCreateTime": None}
    assert walls(*each(record(**undated), record(**DELETED))) == {(2026, 2): 345600}


def test_example_b_as_old_version_with_a_second_less_of_suspension() -> None:
    undated = {**SUSPENDED, "RecordCreateTime": None, "SuspendDuration": 172799}
    old = message(record(**undated), record(**{**DELETED, "RecordCreateTime": None}), header="APEL-cloud-message: v0.2")
    assert walls(old) == {(2026, 1): 172800, (2026, 2): 172800}


def outage(created: int, wall: int) -> Record:
    return record(StartTime=1765756800, RecordCreateTime=created, WallDuration=wall, CpuCount=4)


DECEMBER_EDGE, BEFORE = outage(1767225599, 1468800), outage(1769558400, 3801600)
BACKFILLED, CURRENT = outage(1769903999, 4147200), outage(1770076800, 4320000)


def test_example_c_outage_over_a_month_end() -> None:
    assert walls(*each(DECEMBER_EDGE, BEFORE)) == {(2025, 12): 1468800, (2026, 1): 2332800}
    exact = {(2025, 12): 1468800, (2026, 1): 2678400, (2026, 2): 172800}
    assert walls(*each(DECEMBER_EDGE, BEFORE, BACKFILLED, CURRENT)) == exact


def test_example_c_naive_sender_makes_a_peak() -> None:
    naive = {(2025, 12): 1468800, (2026, 1): 2332800, (2026, 2): 518400}
    assert walls(*each(DECEMBER_EDGE, BEFORE, CURRENT)) == naive


# ---- deltas


def at(instant: int, wall: object, **values: object) -> Record:
    return record(StartTime=START, RecordCreateTime=instant, WallDuration=wall, **values)


def test_midnight_of_the_first_belongs_to_the_new_month() -> None:
    assert walls(*each(at(FEBRUARY - 1, 10), at(FEBRUARY, 11))) == {(2026, 1): 10, (2026, 2): 1}


def test_first_row_counts_its_whole_counter() -> None:
    assert walls(message(at(MARCH, 9999999))) == {(2026, 3): 9999999}


def test_missing_month_lands_in_the_next_one_that_has_a_row() -> None:
    rows = each(STRAIGHT[0], STRAIGHT[2])
    assert walls(*rows) == {(2026, 1): 993600, (2026, 3): 2786400}


def test_null_between_counts_nothing_and_then_everything_again() -> None:
    rows = each(STRAIGHT[0], at(1772323199, "NULL"), STRAIGHT[2])
    assert walls(*rows) == {(2026, 1): 993600, (2026, 2): None, (2026, 3): 3780000}
    with Repository() as repository:
        repository.load(message(at(FEBRUARY, "NULL")))
        assert [row.wall for row in repository.summarise(FEBRUARY)] == [None]


def test_counter_that_shrinks_makes_a_negative_month() -> None:
    assert walls(*each(at(JANUARY, 300000), at(FEBRUARY, 200000))) == {(2026, 1): 300000, (2026, 2): -100000}


def test_negative_wall_is_summed() -> None:
    with Repository() as repository:
        repository.load(message(at(FEBRUARY, -5)))
        assert [row.wall for row in repository.summarise(FEBRUARY)] == [-5]


def test_each_counter_has_its_own_delta() -> None:
    with Repository() as repository:
        repository.load(message(at(JANUARY, 1, CpuDuration=10, NetworkInbound=100, NetworkOutbound=1000)))
        repository.load(message(at(FEBRUARY, 3, CpuDuration=30, NetworkInbound=300, NetworkOutbound="NULL")))
        assert repository.usage()[("vm-1", 2026, 2)] == Usage(2, 20, 200, None)


def test_row_without_a_date_is_in_month_zero_and_nobodys_predecessor() -> None:
    undated = record(RecordCreateTime=None, WallDuration=500)
    assert walls(*each(undated, at(FEBRUARY, 700))) == {(0, 0): 500, (2026, 2): 700}
    endless = record(Status="completed", WallDuration=500)
    assert walls(*each(endless, at(FEBRUARY, 700))) == {(0, 0): 500, (2026, 2): 700}


def test_predecessor_is_found_whatever_the_case_of_the_vmuuid() -> None:
    with Repository() as repository:
        for body in each(at(JANUARY, 100, VMUUID="VM-1"), at(FEBRUARY, 150)):
            repository.load(body)
        assert [used.wall for used in repository.usage().values()] == [100, 50]


def test_predecessor_is_found_over_sites() -> None:
    with Repository() as repository:
        for body in each(at(JANUARY, 100, SiteName="FIRST"), at(FEBRUARY, 150, SiteName="SECOND")):
            repository.load(body)
        assert [(row.site, row.wall) for row in repository.summarise(FEBRUARY)] == [("FIRST", 100), ("SECOND", 50)]


def test_retraction_works_for_the_last_month_only() -> None:
    with_march = [STRAIGHT[0], STRAIGHT[1], STRAIGHT[2], at(1772323199, 993600)]
    assert walls(*each(*with_march)) == {(2026, 1): 993600, (2026, 2): 0, (2026, 3): 2786400}
    assert walls(*each(STRAIGHT[0], STRAIGHT[1], at(1772323199, 993600))) == {(2026, 1): 993600, (2026, 2): 0}


# ---- sums


def summed(*bodies: str, now: int = FEBRUARY + DAY) -> List[CloudSummary]:
    with Repository() as repository:
        for body in bodies:
            outcome = repository.load(body)
            assert outcome.accepted, outcome.reason
        return repository.summarise(now)


def test_machines_of_one_key_are_summed() -> None:
    common = {"RecordCreateTime": FEBRUARY, "CloudComputeService": "one", "FQAN": "ops", "ImageId": "i"}
    (row,) = summed(
        message(
            record(VMUUID="a", StartTime=START, WallDuration=1, NetworkInbound=1, Memory=10, Disk=7, **common),
            record(
                VMUUID="b", StartTime=START + 5, WallDuration=2, CpuDuration=9, NetworkInbound=2, Memory=20, **common
            ),
            record(VMUUID="c", StartTime=START - 5, WallDuration=4, Memory=40, **common),
        )
    )
    assert (row.wall, row.cpu, row.network_in, row.network_out, row.memory, row.disk) == (7, 9, 3, None, 70, 7)
    assert (row.vms, row.earliest_start, row.latest_start) == (3, START - 5, START + 5)
    assert (row.vo, row.service, row.image, row.update_time) == ("ops", "one", "i", FEBRUARY + DAY)


KEY_CHANGES: List[Dict[str, object]] = [
    {"SiteName": "OTHER"},
    {"CloudComputeService": "two"},
    {"GlobalUserName": "/CN=Other"},
    {"FQAN": "other"},
    {"FQAN": "/ops/sub"},
    {"FQAN": "/ops/Role=admin"},
    {"Status": "suspended"},
    {"ImageId": "j"},
    {"CpuCount": 2},
    {"BenchmarkType": "HEPscore23"},
    {"Benchmark": 11.5},
]
KEY: Dict[str, object] = {
    "CloudComputeService": "one",
    "GlobalUserName": "/CN=Jane",
    "FQAN": "/ops",
    "Status": "started",
    "ImageId": "i",
    "CpuCount": 1,
}


@pytest.mark.parametrize("change", KEY_CHANGES, ids=lambda change: "-".join(f"{k}={v}" for k, v in change.items()))
def test_each_part_of_the_key_makes_a_row_of_its_own(change: Dict[str, object]) -> None:
    first = record(**{**KEY, "VMUUID": "a", "RecordCreateTime": FEBRUARY})
    second = record(**{**KEY, "VMUUID": "b", "RecordCreateTime": FEBRUARY, **change})
    assert len(summed(message(first, second))) == 2


def test_cloud_type_and_machine_name_are_not_in_the_key() -> None:
    first = record(VMUUID="a", RecordCreateTime=FEBRUARY, CloudType="x", MachineName="m")
    second = record(VMUUID="b", RecordCreateTime=FEBRUARY, CloudType="y", MachineName="n")
    assert [row.vms for row in summed(message(first, second))] == [2]


def test_keys_compare_without_case_and_show_the_spelling_first_seen() -> None:
    names = {"SiteName": "Site", "FQAN": "Vo", "ImageId": "Image", "GlobalUserName": "/CN=Jane"}
    first = record(VMUUID="b", RecordCreateTime=FEBRUARY, **names)
    second = record(VMUUID="a", RecordCreateTime=FEBRUARY, **{key: value.upper() for key, value in names.items()})
    (row,) = summed(message(first, second))
    assert (row.site, row.vo, row.image, row.user, row.vms) == ("Site", "Vo", "Image", "/CN=Jane", 2)


def test_month_zero_is_published_too() -> None:
    (row,) = summed(message(record(WallDuration=500)))
    assert (row.year, row.month, row.wall) == (0, 0, 500)


def test_missing_fqan_is_published_as_vo_none() -> None:
    (row,) = summed(message(record(RecordCreateTime=FEBRUARY)))
    assert (row.vo, row.vo_group, row.vo_role) == ("None", "None", "None")


# ---- rows that went stale


class Centre:
    """A repository whose summariser runs at the times of the test; ``run`` tells wall and count of each row."""

    def __init__(self, repository: Repository, delete: bool = True) -> None:
        self.repository = repository
        self.delete = delete

    def load(self, **values: object) -> None:
        outcome = self.repository.load(message(record(**{**KEY, "StartTime": START, **values})))
        assert outcome.accepted, outcome.reason

    def run(self, day: str) -> List[Tuple[str, Optional[int], int]]:
        now = month_start(parse_month(day[:7])) + (int(day[8:]) - 1) * DAY + 3600
        rows = self.repository.summarise(now, delete_stale_summaries=self.delete)
        return sorted((row.status, row.wall, row.vms) for row in rows)


LAST_OF_JANUARY = FEBRUARY - 3600


@pytest.mark.parametrize("arrives", ["2026-02-01", "2026-02-02"])
def test_late_end_within_the_window_is_one_row(arrives: str) -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=LAST_OF_JANUARY - DAY, WallDuration=900000)
        assert centre.run("2026-01-31") == [("started", 900000, 1)]
        centre.load(Status="completed", EndTime=LAST_OF_JANUARY, WallDuration=990000)
        assert centre.run(arrives) == [("completed", 990000, 1)]
        assert centre.run("2026-02-03") == [("completed", 990000, 1)]


def test_late_end_after_the_window_counts_twice_for_ever() -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=LAST_OF_JANUARY - DAY, WallDuration=900000)
        assert centre.run("2026-02-02") == [("started", 900000, 1)]
        centre.load(Status="completed", EndTime=LAST_OF_JANUARY, WallDuration=990000)
        for day in ("2026-02-03", "2026-02-04", "2026-03-15", "2027-01-31"):
            rows = centre.run(day)
            assert rows == [("completed", 990000, 1), ("started", 900000, 1)]
            assert sum(wall or 0 for _, wall, _ in rows) == 1890000


def test_late_end_in_the_key_last_published_is_one_row() -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=LAST_OF_JANUARY - DAY, WallDuration=900000)
        centre.run("2026-02-02")
        centre.load(RecordCreateTime=LAST_OF_JANUARY, WallDuration=990000)
        assert centre.run("2026-02-03") == [("started", 990000, 1)]


@pytest.mark.parametrize("change", KEY_CHANGES, ids=lambda change: "-".join(f"{k}={v}" for k, v in change.items()))
def test_any_key_that_changes_after_the_window_counts_twice(change: Dict[str, object]) -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=LAST_OF_JANUARY, WallDuration=900000)
        centre.run("2026-02-02")
        centre.load(**{"RecordCreateTime": LAST_OF_JANUARY, "WallDuration": 990000, **change})
        assert sum(wall or 0 for _, wall, _ in centre.run("2026-02-03")) == 1890000


@pytest.mark.parametrize("change", [{"Status": "completed", "EndTime": FEBRUARY + DAY}, {"CpuCount": 4}])
def test_key_that_changes_in_the_current_month_is_cleaned(change: Dict[str, object]) -> None:
    for delete, count in ((True, 1), (False, 2)):
        with Repository() as repository:
            centre = Centre(repository, delete)
            centre.load(RecordCreateTime=FEBRUARY, WallDuration=10)
            centre.run("2026-02-10")
            centre.load(**{"RecordCreateTime": FEBRUARY + DAY, "WallDuration": 20, **change})
            assert len(centre.run("2026-02-11")) == count


def test_backfill_of_a_month_that_had_no_row_is_free() -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=MARCH, WallDuration=30)
        centre.run("2026-03-10")
        centre.load(RecordCreateTime=LAST_OF_JANUARY, WallDuration=10, Status="suspended", CpuCount=8)
        assert centre.run("2026-03-11") == [("started", 20, 1), ("suspended", 10, 1)]


def test_stale_rows_of_january_stay_while_the_window_reaches_into_december() -> None:
    with Repository() as repository:
        centre = Centre(repository)
        centre.load(RecordCreateTime=JANUARY + 60, WallDuration=10)
        assert centre.run("2026-01-01") == [("started", 10, 1)]
        centre.load(RecordCreateTime=JANUARY + 120, WallDuration=20, Status="suspended")
        assert centre.run("2026-01-02") == [("started", 10, 1), ("suspended", 20, 1)]
        assert centre.run("2026-01-03") == [("suspended", 20, 1)]


# ---- any life


@st.composite
def lives(draw: st.DrawFn) -> List[Record]:
    """Records of some machines, one for each machine and month, with counters that grow."""
    records: List[Record] = []
    for number in range(draw(st.integers(1, 3))):
        first = month_of(START) + draw(st.integers(0, 3))
        wall = 0
        for month in range(first, first + draw(st.integers(1, 6))):
            wall += draw(st.integers(0, 2678400))
            instant = draw(st.integers(month_start(month), month_end(month)))
            records.append(at(instant, wall, VMUUID=f"vm-{number}", CpuDuration=2 * wall, NetworkInbound=wall // 7))
    return records


@settings(max_examples=150, deadline=None)
@given(lives(), st.data())
def test_order_of_arrival_across_months_does_not_matter(records: List[Record], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(records))
    cut = data.draw(st.integers(0, len(records)))
    now = FEBRUARY + 400 * DAY
    with Repository() as straight, Repository() as mixed:
        for body in each(*records):
            straight.load(body)
        for body in (message(*shuffled[:cut]), *each(*shuffled[cut:])):
            mixed.load(body)
        assert straight.usage() == mixed.usage()
        assert straight.summarise(now) == mixed.summarise(now)
        last: Dict[object, object] = {one["VMUUID"]: one["WallDuration"] for one in records}
        total: Dict[object, int] = {}
        for (vmuuid, _, _), used in mixed.usage().items():
            total[vmuuid] = total.get(vmuuid, 0) + (used.wall or 0)
        assert total == last
