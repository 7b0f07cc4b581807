"""Read a cloud message as the federation's central loader does: what it refuses, and what it silently takes.

Two steps, as there: the text becomes records (a fault of one record rejects them all), then the database, in strict
mode, has its say about each value. Nothing here is kinder than the centre, and nothing is wiser.
"""

from __future__ import annotations

import calendar
import time
from decimal import ROUND_HALF_UP, Decimal
from typing import Callable, Dict, FrozenSet, List, NamedTuple, NoReturn, Optional, Tuple

HEADER = "APEL-cloud-message"
_BIGINT = 2**63
_INT = 2**31
_FIRST_YEAR = -62135596800
_LAST_YEAR = 253402300799
"""The instants that a date can hold: years 1 to 9999."""


class RejectedError(Exception):
    """The message is refused whole; the text is what the centre notes in its reject queue."""


class CloudRecord(NamedTuple):
    """One row of CloudRecords: what is known of a virtual machine for one month. Instants in seconds, UTC."""

    record_create_time: Optional[int]
    """None: the zero date."""
    vmuuid: str
    site: str
    service: str
    machine: str
    local_user: str
    local_group: str
    user: str
    fqan: str
    vo: str
    vo_group: str
    vo_role: str
    status: str
    start: Optional[int]
    end: Optional[int]
    measured: Optional[int]
    """MeasurementTime; None is the zero date, whose month and year are 0."""
    month: int
    year: int
    suspend: Optional[int]
    wall: Optional[int]
    cpu: Optional[int]
    cpu_count: float
    network_type: str
    network_in: Optional[int]
    network_out: Optional[int]
    public_ips: Optional[int]
    memory: Optional[int]
    disk: Optional[int]
    benchmark_type: str
    benchmark: float
    storage_record: str
    image: str
    cloud_type: str
    publisher: str


Values = Dict[str, object]
"""A record as its lines said it: None where the value was one of the null spellings."""


def is_null(value: str) -> bool:
    """Tell whether a value is one of the spellings of null."""
    return value.lower() in ("", "none", "null")


def parse_fqan(fqan: str) -> Tuple[str, str, str]:
    """Return VO, VO group and VO role of the first FQAN; a bare name is a VO without group and role."""
    first = fqan.split(";")[0]
    if not first.startswith("/"):
        return first, "None", "None"
    pieces = first.split("/")
    group = ""
    for piece in filter(None, pieces):
        if piece.lower().startswith("role="):
            return pieces[1], group, piece
        group += f"/{piece}"
    return pieces[1], group, "None"


def _integer(key: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise RejectedError(f"Invalid int value {value} in field {key}") from None


def _decimal(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RejectedError(f"Invalid float value {value} in field {key}") from None


def _instant(key: str, value: str) -> int:
    try:
        instant = int(value)
    except ValueError:
        try:
            # the one written form that is taken; the centre's own zone is UTC
            return calendar.timegm(time.strptime(value.replace("Z", "UTC"), "%Y-%m-%dT%H:%M:%S%Z"))
        except ValueError:
            raise RejectedError(f"Unknown datetime format!: {value}") from None
    if not _FIRST_YEAR <= instant <= _LAST_YEAR:
        try:
            reason = f"year {time.gmtime(instant).tm_year} is out of range"
        except (OverflowError, OSError, ValueError) as error:
            reason = str(error)
        raise RejectedError(reason)
    return instant


Converter = Callable[[str, str], object]
_TEXT: Tuple[str, ...] = (
    *("VMUUID", "SiteName", "CloudComputeService", "MachineName", "LocalUserId", "LocalGroupId", "GlobalUserName"),
    *("FQAN", "VO", "VOGroup", "VORole", "Status", "NetworkType", "BenchmarkType", "StorageRecordId", "ImageId"),
    "CloudType",
)
_CONVERTERS: Dict[str, Optional[Converter]] = {
    **dict.fromkeys(_TEXT),
    **dict.fromkeys(("SuspendDuration", "WallDuration", "CpuDuration", "NetworkInbound", "NetworkOutbound"), _integer),
    **dict.fromkeys(("PublicIPCount", "Memory", "Disk"), _integer),
    **dict.fromkeys(("CpuCount", "Benchmark"), _decimal),
    **dict.fromkeys(("RecordCreateTime", "StartTime", "EndTime"), _instant),
}
_IGNORED: FrozenSet[str] = frozenset(("UpdateTime", "MeasurementTime", "MeasurementMonth", "MeasurementYear"))
_MANDATORY = ("VMUUID", "SiteName")


def parse(body: str) -> List[Values]:
    """Return the records of a message; may be none. Raises RejectedError for a fault anywhere in it."""
    text = body.strip()
    if text.startswith("<"):
        raise RejectedError("XML format not recognised.")
    # these lines end at every separator that Unicode knows, so a vertical tab in a value cuts it in two
    lines = text.splitlines()
    if not lines:
        raise RejectedError("pop from empty list")
    kind, colon, _ = lines[0].partition(":")
    if not colon:
        raise RejectedError("Message header is incorrect: substring not found")
    if kind.strip() != HEADER:
        raise RejectedError(f"Message type {lines[0]} not recognised.")
    records = "\n".join(lines[1:]).split("%%")
    return [_record(record) for record in records if record and not record.isspace()]


def _record(text: str) -> Values:
    values: Values = {}
    for line in text.strip().splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            raise RejectedError("Message header is incorrect: not enough values to unpack (expected 2, got 1)")
        key, value = key.strip(), value.strip()
        if key not in _CONVERTERS:
            if key in _IGNORED:
                continue
            raise RejectedError(f"Unknown field: {key}")
        # each line is checked, even one that a later line of the same key overrides
        if is_null(value):
            if key in _MANDATORY:
                raise RejectedError(f"NULL in mandatory field: {key}")
            values[key] = None
        else:
            converter = _CONVERTERS[key]
            values[key] = value if converter is None else converter(key, value)
    for key in _MANDATORY:
        if key not in values:
            raise RejectedError(f"Mandatory field {key} not specified.")
    return values


# ---- what the database says


def _refuse(number: int, reason: str, column: str) -> NoReturn:
    raise RejectedError(f"({number}, \"{reason} for column '{column}'\")")


def _text(values: Values, key: str, column: str, width: int = 255) -> str:
    value = values.get(key)
    if value is None:
        return "None"
    assert isinstance(value, str)
    return _fitting(value, column, width)


def _fitting(value: str, column: str, width: int = 255) -> str:
    if not value.isascii():
        try:
            value.encode("cp1252")
        except UnicodeEncodeError:
            _refuse(1366, "Incorrect string value", column)
    if len(value) > width:
        _refuse(1406, "Data too long", column)
    return value


def _whole(values: Values, key: str, column: str, limit: int = _BIGINT) -> Optional[int]:
    value = values.get(key)
    if value is None:
        return None
    assert isinstance(value, int)
    if not -limit <= value < limit:
        _refuse(1264, "Out of range value", column)
    return value


def _thousandths(values: Values, key: str, column: str, *, unsigned: bool) -> float:
    value = values.get(key)
    if value is None:
        return 0.0
    assert isinstance(value, float)
    if value != value or value in (float("inf"), float("-inf")):
        raise RejectedError(f"{value} can not be used with MySQL")
    if not value.is_integer():
        value = float(Decimal(repr(value)).quantize(Decimal("0.001"), ROUND_HALF_UP)) if abs(value) < 1e8 else value
    if abs(value) >= 1e7 or (unsigned and value < 0):
        _refuse(1264, "Out of range value", column)
    return value


def _measured(
    completed: bool,
    created: Optional[int],
    start: Optional[int],
    end: Optional[int],
    suspend: Optional[int],
    wall: Optional[int],
) -> Optional[int]:
    """Return the measurement time, which decides the month; None: the zero date."""
    if completed:
        return end
    if created is not None:
        return created
    if start is None:
        return None
    lived = (suspend or 0) + (wall or 0)
    if not -_BIGINT <= lived < _BIGINT:
        raise RejectedError("(1690, 'BIGINT value is out of range')")
    return start + lived if _FIRST_YEAR <= start + lived <= _LAST_YEAR else None


def to_row(values: Values, publisher: str) -> CloudRecord:
    """Return the row that the database makes of a record, or raise RejectedError where it refuses a value."""
    created, start, end = values.get("RecordCreateTime"), values.get("StartTime"), values.get("EndTime")
    assert created is None or isinstance(created, int)
    assert start is None or isinstance(start, int)
    assert end is None or isinstance(end, int)
    fqan = _text(values, "FQAN", "fqan")
    vo, group, role = parse_fqan(fqan)
    status = _text(values, "Status", "status")
    suspend = _whole(values, "SuspendDuration", "suspendDuration")
    wall = _whole(values, "WallDuration", "wallDuration")
    measured = _measured(status.lower() == "completed", created, start, end, suspend, wall)
    moment = None if measured is None else time.gmtime(measured)
    return CloudRecord(
        record_create_time=measured if created is None else created,
        vmuuid=_text(values, "VMUUID", "VMUUID"),
        site=_text(values, "SiteName", "site"),
        service=_text(values, "CloudComputeService", "cloudComputeService"),
        machine=_text(values, "MachineName", "machineName"),
        local_user=_text(values, "LocalUserId", "localUserId"),
        local_group=_text(values, "LocalGroupId", "localGroupId"),
        user=_text(values, "GlobalUserName", "globalUserName"),
        fqan=fqan,
        vo=vo,
        vo_group=group,
        vo_role=role,
        status=status,
        start=start,
        end=end,
        measured=measured,
        month=moment.tm_mon if moment else 0,
        year=moment.tm_year if moment else 0,
        suspend=suspend,
        wall=wall,
        cpu=_whole(values, "CpuDuration", "cpuDuration"),
        cpu_count=_thousandths(values, "CpuCount", "cpuCount", unsigned=True),
        network_type=_text(values, "NetworkType", "networkType"),
        network_in=_whole(values, "NetworkInbound", "networkInbound"),
        network_out=_whole(values, "NetworkOutbound", "networkOutbound"),
        public_ips=_whole(values, "PublicIPCount", "publicIPCount", _INT),
        memory=_whole(values, "Memory", "memory"),
        disk=_whole(values, "Disk", "disk"),
        benchmark_type=_text(values, "BenchmarkType", "benchmarkType", 50),
        benchmark=_thousandths(values, "Benchmark", "benchmark", unsigned=False),
        storage_record=_text(values, "StorageRecordId", "storageRecordId"),
        image=_text(values, "ImageId", "imageId"),
        cloud_type=_text(values, "CloudType", "cloudType"),
        publisher=_fitting(publisher, "publisherDN"),
    )
