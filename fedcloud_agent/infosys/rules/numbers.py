"""Rules about numbers: what adds up, what exceeds what, what is too small or too big to be true."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.rules.schema import E as ENVIRONMENT

_SERVICE = "GLUE2ComputingService"
_MANAGER = "GLUE2ComputingManager"
_CAPACITY = "GLUE2StorageServiceCapacity"
_JOBS = ("Running", "Waiting", "Staging", "Suspended", "PreLRMSWaiting")
_MILLION = 1_000_000

_BOUNDS: Dict[str, Tuple[str, float, float]] = {
    f"{_SERVICE}TotalJobs": ("I014", 0, _MILLION),
    f"{_SERVICE}RunningJobs": ("I015", 0, _MILLION),
    f"{_SERVICE}WaitingJobs": ("I016", 0, _MILLION),
    f"{_SERVICE}StagingJobs": ("I017", 0, _MILLION),
    f"{_SERVICE}SuspendedJobs": ("I018", 0, _MILLION),
    f"{_MANAGER}TotalPhysicalCPUs": ("I021", 10, _MILLION),
    f"{_MANAGER}TotalLogicalCPUs": ("I022", 10, _MILLION),
    f"{_MANAGER}TotalSlots": ("I023", 10, _MILLION),
    f"{ENVIRONMENT}TotalInstances": ("I063", 10, _MILLION),
    f"{ENVIRONMENT}PhysicalCPUs": ("I067", 0, 10),
    f"{ENVIRONMENT}LogicalCPUs": ("I068", 0, 999),
    f"{ENVIRONMENT}CPUClockSpeed": ("I069", 100, 10_000),
    f"{ENVIRONMENT}MainMemorySize": ("I072", 100, 999_999),
    f"{ENVIRONMENT}VirtualMemorySize": ("I073", 100, 999_999),
}
"""What the validator takes for likely, bounds included."""


_FACTORS = {f"{ENVIRONMENT}CPUTimeScalingFactor": "I070", f"{ENVIRONMENT}WallTimeScalingFactor": "I071"}


def number(entry: Entry, attribute: str) -> Optional[int]:
    """Return a whole number of an entry; None when it is not there or none."""
    value = entry.first(attribute)
    return int(value) if value is not None and value.lstrip("-").isdigit() else None


def bounds(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge each number by itself."""
    for attribute in sorted(_BOUNDS.keys() & entry.attributes.keys()):
        rule, low, high = _BOUNDS[attribute]
        value = number(entry, attribute)
        if value is not None and not low <= value <= high:
            yield rule, f"{attribute} is {value}, expected {low:,} to {high:,}"
    for attribute in sorted(_FACTORS.keys() & entry.attributes.keys()):
        # the validator itself fails on a factor with a decimal point
        if entry.first(attribute) != "1":
            yield _FACTORS[attribute], f"{attribute} is {entry.first(attribute)}, expected 1"


def jobs(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge machines by state by all of them."""
    for rule, kind in (("W005", _SERVICE), ("W013", "GLUE2ComputingEndpoint")):
        total = number(entry, f"{kind}TotalJobs")
        parts = [found for name in _JOBS if (found := number(entry, f"{kind}{name}Jobs")) is not None]
        if total is not None and parts and abs(total - sum(parts)) > 0.1 * max(total, sum(parts)):
            yield rule, f"{total} machines in all, but {sum(parts)} by state"


def slots(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge what a manager says that it has, and has given out."""
    physical, logical = (number(entry, f"{_MANAGER}Total{name}CPUs") for name in ("Physical", "Logical"))
    if physical is not None and logical is not None and physical > logical:
        yield "W030", f"{physical} physical CPUs with {logical} logical ones"
    total = number(entry, f"{_MANAGER}TotalSlots")
    if total is not None and logical is not None and total > 2 * logical:
        yield "W031", f"{total} slots on {logical} logical CPUs"
    for rule, name in (("W032", "Local"), ("W033", "Grid")):
        used = number(entry, f"{_MANAGER}SlotsUsedBy{name}Jobs")
        if used is not None and total is not None and used >= total:
            yield rule, f"{used} of {total} slots in use"


def instances(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge machines of one size by all of them."""
    whole = number(entry, f"{ENVIRONMENT}TotalInstances")
    for rule, name in (("I064", "Used"), ("I065", "Unavailable")):
        some = number(entry, f"{ENVIRONMENT}{name}Instances")
        if some is not None and whole is not None and some > whole:
            yield rule, f"{some} of {whole} instances"


def capacity(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge the parts of a storage capacity by the whole."""
    total = number(entry, f"{_CAPACITY}TotalSize")
    if total is None:
        return
    parts = {name: number(entry, f"{_CAPACITY}{name}Size") for name in ("Free", "Used", "Reserved")}
    told = [one for one in parts.values() if one is not None]
    if told and abs(sum(told) - total) > 0.005 * total:
        yield "E014", f"free, used and reserved are {sum(told)} GB together, the whole {total} GB"
    for rule, (name, part) in zip(("E015", "E016", "E017"), parts.items()):
        if part is not None and part > total:
            yield rule, f"{name} is {part} of {total} GB"
