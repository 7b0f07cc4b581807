"""One APEL cloud record as text: rendered, checked by the repository's rules, read back, and held to published keys.

The format has no escaping, so values are made harmless instead (APEL cloud message v0.2 and v0.4; the loader's rules as
its source has them). Nothing that the repository would cut off, refuse or take for something else leaves the site.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Dict, NamedTuple, Optional

from fedcloud_agent.accounting.measurement import Measurement
from fedcloud_agent.clouds.contract import COMPLETED

HEADER = "APEL-cloud-message: v{version}\n"
SEPARATOR = "%%\n"
WIDTH = 255
BENCHMARK_WIDTH = 50
GIGABYTE = 10**9
_BIGINT = 2**63 - 1
_INT = 2**31 - 1
_YEAR_2100 = 4102444800
_NULL = ("", "none", "null")

FIELDS = (
    "RecordCreateTime",
    "VMUUID",
    "SiteName",
    "CloudComputeService",
    "MachineName",
    "LocalUserId",
    "LocalGroupId",
    "GlobalUserName",
    "FQAN",
    "Status",
    "StartTime",
    "EndTime",
    "SuspendDuration",
    "WallDuration",
    "CpuDuration",
    "CpuCount",
    "NetworkInbound",
    "NetworkOutbound",
    "PublicIPCount",
    "Memory",
    "Disk",
    "BenchmarkType",
    "Benchmark",
    "ImageId",
    "CloudType",
)
"""Every key that we send, in the order in which we send it. One that is absent is null."""

_KNOWN = frozenset(FIELDS)

KEYS = (
    "SiteName",
    "CloudComputeService",
    "GlobalUserName",
    "FQAN",
    "Status",
    "ImageId",
    "CpuCount",
    "BenchmarkType",
    "Benchmark",
)
"""The fields by which the repository groups a month. Published once for a month, they stay."""


_INTEGERS = (
    "RecordCreateTime",
    "StartTime",
    "EndTime",
    "SuspendDuration",
    "WallDuration",
    "CpuDuration",
    "NetworkInbound",
    "NetworkOutbound",
    "PublicIPCount",
    "Memory",
    "Disk",
)


class Frame(NamedTuple):
    """What is the same in every record of one cloud."""

    site: str
    service: Optional[str]
    cloud_type: str
    version: str
    fqan_style: str
    publish_users: bool
    benchmark_type: Optional[str]
    benchmark: Optional[float]


class Subject(NamedTuple):
    """The machine of a record: those columns of the ledger that a record shows as they are."""

    uuid: str
    name: str
    user: str
    group: str
    global_user: Optional[str]
    vo: str
    start: int
    public_ips: Optional[int]
    memory: int
    disk: int
    image: Optional[str]
    benchmark_type: Optional[str]
    benchmark: Optional[float]
    site: Optional[str] = None


@lru_cache(maxsize=16384)
def harmless(value: str) -> str:
    """Return a value that survives the format: ASCII, one line, no separator, nothing taken for an encrypted part."""
    if not value.isascii():
        folded = unicodedata.normalize("NFKD", value)
        value = "".join(c if c.isascii() else "" if unicodedata.combining(c) else "?" for c in folded)
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    if "%%" in value:
        value = value.replace("%%", "%25%25")
    if "pkcs7-mime" in value.lower():
        at = value.lower().index("pkcs7-mime")
        value = harmless(value[: at + 5] + "_" + value[at + 6 :])
    return value.strip()


def _decimal(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def fields_of(subject: Subject, row: Measurement, frame: Frame) -> Dict[str, str]:
    """Return the fields of one record, in the order in which they are sent; what is null is left out."""
    vo = harmless(subject.vo)
    user = subject.global_user if frame.publish_users else "withheld"
    full = frame.version != "0.2"
    wall, suspend = row.wall, row.suspend
    fields: Dict[str, str] = {}
    if full:
        fields["RecordCreateTime"] = str(row.measured)
    else:
        # without RecordCreateTime a row is dated by StartTime + SuspendDuration + WallDuration
        suspend = row.measured - subject.start - wall
        if suspend < 0:
            wall, suspend = max(0, wall + suspend), 0
    fields["VMUUID"] = harmless(subject.uuid)
    fields["SiteName"] = harmless(subject.site or frame.site)
    if frame.service and full:
        fields["CloudComputeService"] = harmless(frame.service)
    fields["MachineName"] = harmless(subject.name)[:WIDTH]
    fields["LocalUserId"] = harmless(subject.user)
    fields["LocalGroupId"] = harmless(subject.group)
    if user:
        fields["GlobalUserName"] = harmless(user)
    fields["FQAN"] = f"/{vo}/Role=NULL/Capability=NULL" if frame.fqan_style == "voms" else vo
    fields["Status"] = row.status
    fields["StartTime"] = str(subject.start)
    if row.end is not None:
        fields["EndTime"] = str(row.end)
    fields["SuspendDuration"] = str(suspend)
    fields["WallDuration"] = str(wall)
    fields["CpuDuration"] = str(row.cpu)
    fields["CpuCount"] = row.cpu_count
    if row.network_in is not None:
        fields["NetworkInbound"] = str(row.network_in // GIGABYTE)
    if row.network_out is not None:
        fields["NetworkOutbound"] = str(row.network_out // GIGABYTE)
    if subject.public_ips is not None and full:
        fields["PublicIPCount"] = str(subject.public_ips)
    fields["Memory"] = str(subject.memory)
    fields["Disk"] = str(subject.disk)
    own = subject.benchmark is not None
    benchmark_type = subject.benchmark_type if own else frame.benchmark_type
    benchmark = subject.benchmark if own else frame.benchmark
    if benchmark_type and benchmark is not None and full:
        fields["BenchmarkType"] = harmless(benchmark_type)
        fields["Benchmark"] = _decimal(benchmark)
    if subject.image:
        fields["ImageId"] = harmless(subject.image)
    fields["CloudType"] = frame.cloud_type
    return fields


def parse(content: str) -> Dict[str, str]:
    """Return the fields of a rendered record."""
    fields: Dict[str, str] = {}
    for line in content.splitlines():
        key, _, value = line.partition(": ")
        fields[key] = value
    return fields


def render(fields: Dict[str, str]) -> str:
    """Return the lines of a record, without separator."""
    return "".join([f"{key}: {value}\n" for key, value in fields.items()])


def fault(fields: Dict[str, str]) -> Optional[str]:
    """Return why the repository would refuse, cut off or misread a record, or None if it would take it as meant."""
    problems = [f"{key} is missing" for key in ("VMUUID", "SiteName", "FQAN") if fields.get(key, "").lower() in _NULL]
    if not fields.keys() <= _KNOWN:
        problems.extend(f"{key!r} is no field of a cloud record" for key in fields if key not in _KNOWN)
    if max(map(len, fields.values()), default=0) > BENCHMARK_WIDTH:
        for key, value in fields.items():
            width = BENCHMARK_WIDTH if key == "BenchmarkType" else WIDTH
            if len(value) > width:
                problems.append(f"{key} is {len(value)} characters long, the repository keeps {width}")
    numbers: Dict[str, int] = {}
    for key in _INTEGERS:
        if key in fields:
            try:
                number = numbers[key] = int(fields[key])
            except ValueError:
                problems.append(f"{key} is {fields[key]!r}, no whole number")
                continue
            if not 0 <= number <= (_INT if key == "PublicIPCount" else _BIGINT):
                problems.append(f"{key} is {number}, out of range")
    for key in ("CpuCount", "Benchmark"):
        try:
            if key in fields and not 0 < float(fields[key]) < 10**7:
                problems.append(f"{key} is {fields[key]}, out of range")
        except ValueError:
            problems.append(f"{key} is {fields[key]!r}, no number")
    if fields.get("Status") == COMPLETED and "EndTime" not in fields:
        problems.append("completed without EndTime")
    if "EndTime" in fields and fields.get("Status") != COMPLETED:
        problems.append(f"EndTime of a machine that is {fields.get('Status')}")
    if numbers.get("StartTime", 0) <= 0:
        problems.append("StartTime is missing")
    measured = numbers.get("EndTime", numbers.get("RecordCreateTime"))
    if measured is not None and measured < numbers.get("StartTime", 0):
        problems.append("measured before its start")
    if measured is not None and measured > _YEAR_2100:
        problems.append("measured after the year 2100")
    return "; ".join(problems) or None


def keys_of(fields: Dict[str, str]) -> str:
    """Return the key fields of a record as the text in which the ledger keeps them: by tabs, a null as nothing."""
    return "\t".join([fields.get(key, "") for key in KEYS])


def with_keys(content: str, keys: str, measured: int) -> str:
    """Return the record with the key fields that were published before, dated as it was.

    A late end then goes out as the status that the month already shows, measured at the end: with another status the
    month would count twice at the repository, for ever.
    """
    fields = parse(content)
    fields.update(zip(KEYS, keys.split("\t")))
    if fields["Status"] == COMPLETED:
        fields["EndTime"] = str(measured)
    elif fields.pop("EndTime", None) is not None and "RecordCreateTime" not in fields:
        fields["SuspendDuration"] = str(max(0, measured - int(fields["StartTime"]) - int(fields["WallDuration"])))
    if "RecordCreateTime" in fields:
        fields["RecordCreateTime"] = str(measured)
    return render({key: fields[key] for key in FIELDS if fields.get(key)})
