"""What oned keeps of the machines of each group: limits, and what is used of them."""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterable, List, Mapping

from tests.federation.opennebula.machine import ACTIVE, DONE, FAILED, Machine
from tests.federation.opennebula.people import Group, People
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import first, render, vectors

Used = Mapping[int, Mapping[str, float]]

_OTHERS = "<DATASTORE_QUOTA></DATASTORE_QUOTA><NETWORK_QUOTA></NETWORK_QUOTA>{}<IMAGE_QUOTA></IMAGE_QUOTA>"
_RUNNING = (0, 1, 2, ACTIVE, 10, 11)
"""The states whose machines hold what they were given."""


def used_by_groups(machines: Iterable[Machine]) -> Used:
    """Return what the machines of each group use, in oned's words; memory and disks in MB."""
    found: Dict[int, Counter[str]] = {}
    for machine in machines:
        if machine.state in (DONE, FAILED):
            continue
        template = machine.template
        cpu, memory = float(first(template, "CPU") or 0), int(first(template, "MEMORY") or 0)
        count = found.setdefault(machine.gid, Counter())
        count.update({"VMS": 1, "CPU": cpu, "MEMORY": memory})  # type: ignore[dict-item]
        disks = sum(int(first(disk, "SIZE") or 0) for disk in vectors(template, "DISK"))
        count.update({"SYSTEM_DISK_SIZE": disks})
        if machine.state in _RUNNING:
            count.update({"RUNNING_VMS": 1, "RUNNING_CPU": cpu, "RUNNING_MEMORY": memory})  # type: ignore[dict-item]
    return found


def of_group(profile: Profile, group: Group, used: Used) -> str:
    """Return the quotas of a group. There is a row from the first machine, or the first limit, on."""
    if group.quotas:
        return group.quotas
    count = used.get(group.id)
    if count is None and not group.limits:
        return _OTHERS.format("<VM_QUOTA></VM_QUOTA>")
    # what nobody limited is left to the default, or was without limit before that could be said
    rows = {key: group.limits.get(key, "-1" if profile.since(4, 6) else "0") for key in _keys(profile)}
    rows.update({f"{key}_USED": _shown(key, (count or {}).get(key, 0)) for key in _keys(profile)})
    return _OTHERS.format(f"<VM_QUOTA><VM>{render(list(rows.items()))}</VM></VM_QUOTA>")


def default(people: People) -> str:
    """Return what counts for groups without limits of their own."""
    rows = f"<VM>{render(list(people.default_limits.items()))}</VM>" if people.default_limits else ""
    return _OTHERS.format(f"<VM_QUOTA>{rows}</VM_QUOTA>")


def _keys(profile: Profile) -> List[str]:
    keys = ["VMS", "CPU", "MEMORY"]
    if profile.since(5, 0):
        keys.append("SYSTEM_DISK_SIZE")
    return [*keys, "RUNNING_VMS", "RUNNING_CPU", "RUNNING_MEMORY"] if profile.since(5, 8) else keys


def _shown(key: str, value: float) -> str:
    return f"{value:.2f}" if key.endswith("CPU") and value else str(int(value))
