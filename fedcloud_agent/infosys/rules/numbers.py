"""Rules about numbers: what adds up, what exceeds what, what is too small or too big to be true."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.rules.schema import E as ENVIRONMENT

_MANAGER = "GLUE2ComputingManager"
_CAPACITY = "GLUE2StorageServiceCapacity"
_JOBS = ("Running", "Waiting", "Staging", "Suspended", "PreLRMSWaiting")
_MILLION = 1_000_000

_BOUNDS: Dict[str, Tuple[str, float, float]] = {
    **{
        f"GLUE2ComputingService{name}Jobs": (f"I{number:03d}", 0, _MILLION)
        for number, name in enumerate(("Total", "Running", "Waiting", "Staging", "Suspended"), 14)
    },
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


def number(entry: Entry, attribute: str) -> Optional[int]:
    """Return a whole number of an entry; None when it is not there or none."""
    value = entry.first(attribute)
    return int(value) if value is not None and value.lstrip("-").isdigit() else None


def bounds(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge each number by itself."""
    for attribute, (rule, low, high) in _BOUNDS.items():
        value = number(entry, attribute)
        if value is not None and not low <= value <= high:
            yield rule, f"{attribute} is {value}, expected {low:,} to {high:,}"
    for rule, name in (("I070", "CPUTimeScalingFactor"), ("I071", "WallTimeScalingFactor")):
        value_ = entry.first(f"{ENVIRONMENT}{name}")
        # the validator itself fails on a factor with a decimal point
        if value_ is not None and value_ != "1":
            yield rule, f"{name} is {value_}, expected 1"


def sums(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge numbers by one another."""
    for rule, kind in (("W005", "GLUE2ComputingService"), ("W013", "GLUE2ComputingEndpoint")):
        total = number(entry, f"{kind}TotalJobs")
        parts = [found for name in _JOBS if (found := number(entry, f"{kind}{name}Jobs")) is not None]
        if total is not None and parts and abs(total - sum(parts)) > 0.1 * max(total, sum(parts)):
            yield rule, f"{total} machines in all, but {sum(parts)} by state"
    physical, logical = (number(entry, f"{_MANAGER}Total{name}CPUs") for name in ("Physical", "Logical"))
    if physical is not None and logical is not None and physical > logical:
        yield "W030", f"{physical} physical CPUs with {logical} logical ones"
    slots = number(entry, f"{_MANAGER}TotalSlots")
    if slots is not None and logical is not None and slots > 2 * logical:
        yield "W031", f"{slots} slots on {logical} logical CPUs"
    for rule, name in (("W032", "Local"), ("W033", "Grid")):
        used = number(entry, f"{_MANAGER}SlotsUsedBy{name}Jobs")
        if used is not None and slots is not None and used >= slots:
            yield rule, f"{used} of {slots} slots in use"
    instances = number(entry, f"{ENVIRONMENT}TotalInstances")
    for rule, name in (("I064", "Used"), ("I065", "Unavailable")):
        some = number(entry, f"{ENVIRONMENT}{name}Instances")
        if some is not None and instances is not None and some > instances:
            yield rule, f"{some} of {instances} instances"


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
