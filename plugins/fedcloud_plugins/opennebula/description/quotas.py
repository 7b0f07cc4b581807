"""The quotas of a group, out of what oned keeps for it and what it keeps for all that have none of their own. Pure."""

from __future__ import annotations

import math
from typing import List, Mapping, NamedTuple, Optional, Tuple
from xml.etree.ElementTree import Element

from fedcloud_agent.clouds.offer import UNLIMITED, Quota
from fedcloud_plugins.opennebula.row import texts

_MB = 1024
_KEYS: Tuple[Tuple[str, str, int], ...] = (
    ("VMS", "instances", 1),
    # shares of a physical core, which machines of many cores may have less of: not what others count as cores
    ("CPU", "cpu", 1),
    ("MEMORY", "ram", 1),
    ("SYSTEM_DISK_SIZE", "disk", _MB),
    ("VOLATILE_SIZE", "volatile_disk", _MB),
    ("RUNNING_VMS", "running_instances", 1),
    ("RUNNING_CPU", "running_cpu", 1),
    ("RUNNING_MEMORY", "running_ram", 1),
)
"""oned's word, ours, and how many of its units make one of ours."""
_ALWAYS = frozenset({"VMS", "CPU", "MEMORY"})
_DEFAULT = -1
_NONE = -2
_LARGEST = 2**53


class Counters(NamedTuple):
    """The numbers that oned keeps for machines in one place; None: it keeps no quotas there (before 3.8)."""

    values: Optional[Mapping[str, str]]


def counters_of(element: Element) -> Counters:
    """Return what QUOTAS, or an element that holds quotas, tells of machines.

    From 7.0 on there may be further rows for some of the clusters; the one of all of them names none.
    """
    quota = element.find("VM_QUOTA")
    if quota is None:
        return Counters(None)
    rows = (texts(row) for row in quota.findall("VM"))
    return Counters(next((row for row in rows if "CLUSTER_IDS" not in row), {}))


def quotas_of(own: Counters, default: Counters, *, zero_is_unlimited: bool = False) -> Tuple[Quota, ...]:
    """Return the quotas of a group with these counters. Raises ValueError for a number that is none.

    oned writes -1 where the default counts, -2 where nothing is limited, and neither where no machine was ever made.
    ``zero_is_unlimited``: releases before 4.6 wrote 0 instead of -2.
    """
    if own.values is None:
        return ()
    found: List[Quota] = []
    for key, name, unit in _KEYS:
        limit = _number(own.values, key)
        if limit is None or limit == _DEFAULT:
            limit = _number(default.values or {}, key)
        used = _number(own.values, f"{key}_USED")
        if limit is None and used is None and key not in own.values and key not in _ALWAYS:
            continue
        if limit is None or limit in (_DEFAULT, _NONE) or (zero_is_unlimited and not limit):
            shown = UNLIMITED
        elif limit < 0:
            raise ValueError(f"its quota {key} is {limit:g}")
        else:
            shown = math.floor(limit / unit)
        found.append(Quota(name, shown, math.ceil(max(0.0, used or 0.0) / unit)))
    return tuple(found)


def _number(values: Mapping[str, str], key: str) -> Optional[float]:
    text = values.get(key)
    if text is None:
        return None
    try:
        value = float(text) if len(text) <= 40 and text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise ValueError(f"its quota {key}: {text[:40]!r} is no number")
    return value
