"""The central loader takes and refuses what the real one does, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from tests.federation.central import CloudRecord, Repository
from tests.federation.central.loader import parse_fqan
from tests.federation.central.writing import message, record

JANUARY_EDGE = 1769903999
FEBRUARY = 1769904000
BIGINT = 2**63

PRINTED = """APEL-cloud-message: v0.4
RecordCreateTime: 1770854400
VMUUID: https://one.example.org:2633/compute/4711 2026-01-28 00:00:00+00:00
SiteName: EXAMPLE-SITE
CloudComputeService: one.example.org
MachineName: worker-1
LocalUserId: 42
LocalGroupId: 7
GlobalUserName: /DC=org/DC=example/CN=Jane Doe
FQAN: /vo.example.org/Role=NULL/Capability=NULL
Status: completed
StartTime: 1769558400
EndTime: 1770854400
SuspendDuration: 950400
WallDuration: 345600
CpuDuration: 345600
CpuCount: 1
NetworkType: NULL
NetworkInbound: 3
NetworkOutbound: 1
PublicIPCount: 1
Memory: 2048
Disk: 20
BenchmarkType: NULL
Benchmark: NULL
StorageRecordId: NULL
ImageId: https://appdb.example.org/store/vm/image/1:2
CloudType: fedcloud-agent/1.0 (OpenNebula)
%%
"""


def loaded(body: str) -> CloudRecord:
    """Return the one row that a message made."""
    with Repository() as repository:
        outcome = repository.load(body)
        assert outcome.accepted, outcome.reason
        (row,) = repository.records()
        return row


def refused(body: str) -> str:
    """Return why a message was refused; nothing of it was kept."""
    with Repository() as repository:
        outcome = repository.load(body)
        assert not outcome.accepted
        assert outcome.records == 0
        assert repository.records() == []
        assert outcome.reason is not None
        return outcome.reason


def test_message_in_full_is_taken_as_meant() -> None:
    row = loaded(PRINTED)
    assert row == CloudRecord(
        record_create_time=1770854400,
        vmuuid="https://one.example.org:2633/compute/4711 2026-01-28 00:00:00+00:00",
        site="EXAMPLE-SITE",
        service="one.example.org",
        machine="worker-1",
        local_user="42",
        local_group="7",
        user="/DC=org/DC=example/CN=Jane Doe",
        fqan="/vo.example.org/Role=NULL/Capability=NULL",
        vo="vo.example.org",
        vo_group="/vo.example.org",
        vo_role="Role=NULL",
        status="completed",
        start=1769558400,
        end=1770854400,
        measured=1770854400,
        month=2,
        year=2026,
        suspend=950400,
        wall=345600,
        cpu=345600,
        cpu_count=1.0,
        network_type="None",
        network_in=3,
        network_out=1,
        public_ips=1,
        memory=2048,
        disk=20,
        benchmark_type="None",
        benchmark=0.0,
        storage_record="None",
        image="https://appdb.example.org/store/vm/image/1:2",
        cloud_type="fedcloud-agent/1.0 (OpenNebula)",
        publisher="None",
    )


# ---- the message


@pytest.mark.parametrize("header", ["APEL-cloud-message: v0.2", "APEL-cloud-message:v9", "  APEL-cloud-message : "])
def test_version_of_header_does_not_matter(header: str) -> None:
    row = loaded(message(record(RecordCreateTime=JANUARY_EDGE, CpuCount="0.5"), header=header))
    assert (row.record_create_time, row.cpu_count) == (JANUARY_EDGE, 0.5)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("VMUUID: vm-1\nSiteName: S\n", "Message type VMUUID: vm-1 not recognised."),
        ("apel-cloud-message: v0.4\nVMUUID: vm-1\n", "Message type apel-cloud-message: v0.4 not recognised."),
        ("\ufeffAPEL-cloud-message: v0.4\n", "Message type \ufeffAPEL-cloud-message: v0.4 not recognised."),
        ("APEL-cloud-message\nVMUUID: vm-1\n", "Message header is incorrect: substring not found"),
        ('{"Type": "APEL Public IP message"}', 'Message type {"Type": "APEL Public IP message"} not recognised.'),
        ('{\n "Type": "APEL-accelerator-message"}', "Message header is incorrect: substring not found"),
        ("<UsageRecords/>", "XML format not recognised."),
        ("", "pop from empty list"),
    ],
)
def test_other_headers_are_refused(body: str, reason: str) -> None:
    assert refused(body) == reason


def test_zero_records_are_taken_and_change_nothing() -> None:
    with Repository() as repository:
        for body in ("APEL-cloud-message: v0.4", "APEL-cloud-message: v0.4\n%%\n\n%%\n"):
            assert repository.load(body) == (True, 0, None)
        assert repository.records() == []


def test_last_mark_may_be_missing() -> None:
    assert loaded(message(record(RecordCreateTime=1)).replace("%%", "")).measured == 1


def test_lines_may_end_as_on_windows() -> None:
    assert loaded(PRINTED.replace("\n", "\r\n")) == loaded(PRINTED)


def test_blank_lines_between_records_do_no_harm() -> None:
    two = message(record(VMUUID="a"), record(VMUUID="b"))
    with Repository() as repository:
        body = "\n\n" + two.replace("v0.4\n", "v0.4\n\n \n").replace("%%\n", "%%\n\n")
        assert repository.load(body) == (True, 2, None)


@pytest.mark.parametrize("fault", ["\n", " \n", "no colon\n", "Disk 20\n"])
def test_blank_line_or_line_without_colon_inside_of_a_record_is_refused(fault: str) -> None:
    assert refused(message(record()).replace("SiteName", f"{fault}SiteName")) == (
        "Message header is incorrect: not enough values to unpack (expected 2, got 1)"
    )


@pytest.mark.parametrize("separator", ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_every_separator_of_lines_cuts_a_value(separator: str) -> None:
    assert "not enough values" in refused(message(record(MachineName=f"a{separator}b")))


def test_mark_inside_of_a_value_is_refused() -> None:
    assert "not enough values" in refused(message(record(MachineName="disk 100%% full", RecordCreateTime=1)))


def test_mark_at_the_end_of_the_last_value_is_cut_in_silence() -> None:
    assert loaded(message(record(MachineName="disk 100%%"))).machine == "disk 100"


def test_one_bad_record_refuses_all_when_it_cannot_be_read() -> None:
    bad = message(record(VMUUID="a"), record(VMUUID="b", WallDuration="many"), record(VMUUID="c"))
    assert refused(bad) == "Invalid int value many in field WallDuration"


def test_one_bad_record_refuses_all_when_the_database_says_no() -> None:
    bad = message(record(VMUUID="a"), record(VMUUID="b", MachineName="m" * 256), record(VMUUID="c"))
    assert refused(bad) == "(1406, \"Data too long for column 'machineName'\")"


@pytest.mark.parametrize("count", [1000, 10000])
def test_many_records_in_one_message_are_taken(count: int) -> None:
    with Repository() as repository:
        body = message(*(record(VMUUID=f"vm-{n}", RecordCreateTime=FEBRUARY) for n in range(count)))
        assert repository.load(body) == (True, count, None)
        assert len(repository.records()) == count


# ---- keys and values


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("Colour", "Unknown field: Colour"),
        ("walLDuration", "Unknown field: walLDuration"),
        ("APEL-cloud-message", "Unknown field: APEL-cloud-message"),
        ("", "Unknown field: "),
    ],
)
def test_unknown_key_is_refused(key: str, reason: str) -> None:
    assert refused(message({**record(), key: 1})) == reason


def test_some_keys_are_ignored_whatever_they_say() -> None:
    ignored = dict.fromkeys(("UpdateTime", "MeasurementTime", "MeasurementMonth", "MeasurementYear"), "whenever")
    assert loaded(message(record(RecordCreateTime=FEBRUARY, **ignored))).month == 2


def test_vo_keys_are_overwritten_by_the_fqan() -> None:
    row = loaded(message(record(FQAN="vo.example.org", VO="other", VOGroup="/other", VORole="Role=admin")))
    assert (row.vo, row.vo_group, row.vo_role) == ("vo.example.org", "None", "None")


def test_duplicate_key_last_wins() -> None:
    assert loaded(message(record(Disk=1)).replace("Disk: 1", "Disk: 1\nDisk: 2")).disk == 2
    assert loaded(message(record(Disk=1)).replace("Disk: 1", "Disk: 1\nDisk: NULL")).disk is None


def test_duplicate_key_each_line_is_checked() -> None:
    assert "Invalid int value" in refused(message(record(Disk=1)).replace("Disk: 1", "Disk: one\nDisk: 1"))


def test_values_may_hold_colons_and_lose_their_blanks() -> None:
    body = message(record()).replace("VMUUID: vm-1", "\tVMUUID \t:   https://one:2633/a:b \t")
    assert loaded(body).vmuuid == "https://one:2633/a:b"


@pytest.mark.parametrize("null", ["", "NULL", "null", "None", "nOnE"])
def test_spellings_of_null(null: str) -> None:
    row = loaded(message(record(MachineName=null, WallDuration=null, EndTime=null, CpuCount=null, Benchmark=null)))
    assert (row.machine, row.wall, row.end, row.cpu_count, row.benchmark) == ("None", None, None, 0.0, 0.0)


@pytest.mark.parametrize("key", ["VMUUID", "SiteName"])
def test_mandatory_keys(key: str) -> None:
    assert refused(message(record(**{key: None}))) == f"Mandatory field {key} not specified."
    for null in ("None", "NULL", ""):
        assert refused(message(record(**{key: null}))) == f"NULL in mandatory field: {key}"


def test_all_other_keys_may_be_missing() -> None:
    row = loaded("APEL-cloud-message: v0.4\nVMUUID: vm-1\nSiteName: S\n")
    assert (row.status, row.fqan, row.vo, row.wall, row.cpu_count, row.measured) == (
        "None",
        "None",
        "None",
        None,
        0,
        None,
    )


@pytest.mark.parametrize("value", ["3.0", "1361813847.0", "three", "0x10", "1e3", "nan", "5 s"])
def test_int_that_is_none_is_refused(value: str) -> None:
    assert refused(message(record(WallDuration=value))) == f"Invalid int value {value} in field WallDuration"


@pytest.mark.parametrize(
    ("value", "number"), [("1_000", 1000), ("+5", 5), ("-5", -5), ("007", 7), (BIGINT - 1, BIGINT - 1)]
)
def test_int_as_python_reads_it(value: object, number: int) -> None:
    assert loaded(message(record(WallDuration=value))).wall == number


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("WallDuration", BIGINT),
        ("NetworkInbound", -BIGINT - 1),
        ("PublicIPCount", 2**31),
        ("CpuCount", -1),
        ("CpuCount", "1e8"),
        ("CpuCount", 10**7),
        ("Benchmark", -(10**7)),
    ],
)
def test_number_out_of_the_range_of_its_column_is_refused(key: str, value: object) -> None:
    assert refused(message(record(**{key: value}))).startswith("(1264, ")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "Infinity"])
@pytest.mark.parametrize("key", ["CpuCount", "Benchmark"])
def test_number_that_is_none_is_refused(key: str, value: str) -> None:
    assert "can not be used" in refused(message(record(**{key: value})))


def test_decimal_that_is_no_number_is_refused() -> None:
    assert refused(message(record(CpuCount="two"))) == "Invalid float value two in field CpuCount"


@pytest.mark.parametrize(
    ("value", "stored"), [("0.5", 0.5), ("2", 2.0), ("1.0004", 1.0), ("1.0005", 1.001), ("9999999.999", 9999999.999)]
)
def test_decimals_keep_three_places(value: str, stored: float) -> None:
    assert loaded(message(record(CpuCount=value))).cpu_count == stored


def test_negative_benchmark_is_taken() -> None:
    assert loaded(message(record(Benchmark="-1.5"))).benchmark == -1.5


@pytest.mark.parametrize(("key", "width"), [("VMUUID", 255), ("SiteName", 255), ("FQAN", 255), ("BenchmarkType", 50)])
def test_text_fits_its_column(key: str, width: int) -> None:
    assert loaded(message(record(**{key: "x" * width})))
    assert refused(message(record(**{key: "x" * (width + 1)}))).startswith("(1406, ")


def test_latin1_is_stored_and_other_scripts_are_refused() -> None:
    assert loaded(message(record(MachineName="caf\u00e9"))).machine == "caf\u00e9"
    assert refused(message(record(MachineName="\u4e91"))).startswith("(1366, ")


@pytest.mark.parametrize(
    ("fqan", "parts"),
    [
        ("vo.example.org", ("vo.example.org", "None", "None")),
        ("/ops/Role=NULL/Capability=NULL", ("ops", "/ops", "Role=NULL")),
        ("/vo/sub/group", ("vo", "/vo/sub/group", "None")),
        ("/vo/sub/role=x/after", ("vo", "/vo/sub", "role=x")),
        ("/vo/Role=a;/other/Role=b", ("vo", "/vo", "Role=a")),
        ("ops;dteam", ("ops", "None", "None")),
        ("None", ("None", "None", "None")),
    ],
)
def test_fqan(fqan: str, parts: tuple[str, str, str]) -> None:
    assert parse_fqan(fqan) == parts
    row = loaded(message(record(FQAN=fqan)))
    assert (row.vo, row.vo_group, row.vo_role) == parts


# ---- the month


@pytest.mark.parametrize(
    ("values", "month"),
    [
        ({"RecordCreateTime": JANUARY_EDGE}, (2026, 1)),
        ({"RecordCreateTime": FEBRUARY}, (2026, 2)),
        ({"RecordCreateTime": FEBRUARY, "StartTime": 1, "WallDuration": 5}, (2026, 2)),
        ({"RecordCreateTime": 0}, (1970, 1)),
        ({"RecordCreateTime": FEBRUARY, "EndTime": 0}, (2026, 2)),
        ({"StartTime": 1769558400, "SuspendDuration": 172800, "WallDuration": 172799}, (2026, 1)),
        ({"StartTime": 1769558400, "SuspendDuration": 172800, "WallDuration": 172800}, (2026, 2)),
        ({"StartTime": 1769558400}, (2026, 1)),
        ({"WallDuration": 5}, (0, 0)),
        ({"Status": "completed", "RecordCreateTime": FEBRUARY, "EndTime": JANUARY_EDGE}, (2026, 1)),
        ({"Status": "COMPLETED", "RecordCreateTime": FEBRUARY, "EndTime": JANUARY_EDGE}, (2026, 1)),
        ({"Status": "completed", "RecordCreateTime": FEBRUARY}, (0, 0)),
        ({"Status": "completed", "EndTime": 0}, (1970, 1)),
        ({"Status": "completed", "StartTime": FEBRUARY, "EndTime": JANUARY_EDGE}, (2026, 1)),
        ({"Status": "completed", "StartTime": 1, "EndTime": 1893456000}, (2030, 1)),
        ({"RecordCreateTime": "2026-02-01T00:00:00Z"}, (2026, 2)),
    ],
)
def test_month_of_a_record(values: Dict[str, object], month: tuple[int, int]) -> None:
    row = loaded(message(record(**values)))
    assert (row.year, row.month) == month


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1769904000000, "year 58056 is out of range"),
        ("1361813847.0", "Unknown datetime format!: 1361813847.0"),
        ("2026-02-01", "Unknown datetime format!: 2026-02-01"),
        ("2026-02-01T00:00:00+00:00", "Unknown datetime format!: 2026-02-01T00:00:00+00:00"),
        (10**30, ""),
    ],
)
def test_instant_that_is_none_is_refused(value: object, reason: str) -> None:
    assert reason in refused(message(record(StartTime=value)))


def test_record_create_time_needs_no_start() -> None:
    row = loaded(message(record(RecordCreateTime=FEBRUARY, WallDuration=5)))
    assert (row.start, row.measured) == (None, FEBRUARY)


# ---- what replaces what


def edge(**values: object) -> str:
    return message(record(**{"RecordCreateTime": FEBRUARY, **values}))


def test_last_loaded_wins_whatever_its_times() -> None:
    with Repository() as repository:
        repository.load(edge(RecordCreateTime=FEBRUARY + 500, WallDuration=500))
        repository.load(edge(RecordCreateTime=FEBRUARY + 100, WallDuration=100))
        assert [(row.measured, row.wall) for row in repository.records()] == [(FEBRUARY + 100, 100)]


def test_last_loaded_wins_inside_of_one_message() -> None:
    with Repository() as repository:
        new, old = (record(RecordCreateTime=FEBRUARY + n, WallDuration=n) for n in (500, 100))
        assert repository.load(message(new, old)).records == 2
        assert [row.wall for row in repository.records()] == [100]


def test_same_message_twice_is_harmless() -> None:
    with Repository() as repository:
        repository.load(PRINTED)
        once = repository.records()
        repository.load(PRINTED)
        assert repository.records() == once


def test_vmuuid_compares_without_case() -> None:
    with Repository() as repository:
        repository.load(edge(VMUUID="vm-1", WallDuration=1))
        repository.load(edge(VMUUID="VM-1", WallDuration=2))
        assert [row.wall for row in repository.records()] == [2]


def test_second_site_takes_the_machine_over() -> None:
    with Repository() as repository:
        repository.load(edge(SiteName="FIRST"))
        repository.load(edge(SiteName="SECOND"))
        assert [row.site for row in repository.records()] == ["SECOND"]


def test_names_keep_the_spelling_first_seen(tmp_path: Path) -> None:
    with Repository(tmp_path / "central.sqlite") as repository:
        repository.load(edge(SiteName="Example-Site", FQAN="Ops"))
    with Repository(tmp_path / "central.sqlite") as repository:
        repository.load(edge(SiteName="EXAMPLE-SITE", FQAN="ops", VMUUID="vm-2"))
        assert {(row.site, row.vo) for row in repository.records()} == {("Example-Site", "Ops")}


def test_refused_message_leaves_what_was_there() -> None:
    with Repository() as repository:
        repository.load(edge(WallDuration=1))
        before = repository.records()
        assert not repository.load(
            message(record(RecordCreateTime=FEBRUARY, WallDuration=2), record(Disk="x"))
        ).accepted
        assert repository.records() == before
