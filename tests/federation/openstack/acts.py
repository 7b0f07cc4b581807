"""What can happen to a server: from which states, to which, and what nova notes down about it."""

from __future__ import annotations

from typing import Dict, FrozenSet, NamedTuple, Optional

# The state of the simulated power: what libvirt would report, as numbered by nova.
POWER = {
    "building": 0,
    "active": 1,
    "resized": 1,
    "rescued": 1,
    "paused": 3,
    "suspended": 4,
    "stopped": 4,
    "shelved": 4,
    "shelved_offloaded": 4,
    "soft-delete": 4,
    "deleted": 0,
}

_LIVE = frozenset(POWER) - {"deleted", "soft-delete"} | {"error"}


class Act(NamedTuple):
    """One thing that happens: ``after`` None keeps the state (or returns to an earlier one).

    ``recorded`` is the name in os-instance-actions; None leaves no trace there. ``relaunch`` moves launched_at;
    ``silent`` leaves even updated_at alone, as what happens in neutron does.
    """

    before: FrozenSet[str]
    after: Optional[str]
    recorded: Optional[str]
    relaunch: bool = False
    silent: bool = False


def _act(
    before: str, after: Optional[str], recorded: Optional[str], relaunch: bool = False, silent: bool = False
) -> Act:
    return Act(frozenset(before.split()) if before else _LIVE, after, recorded, relaunch, silent)


ACTS: Dict[str, Act] = {
    "launch": _act("building", "active", None, relaunch=True),
    "stop": _act("active error rescued", "stopped", "stop"),
    "start": _act("stopped", "active", "start"),
    "reboot": _act("active stopped paused suspended error", "active", "reboot"),
    "pause": _act("active", "paused", "pause"),
    "unpause": _act("paused", "active", "unpause"),
    "suspend": _act("active", "suspended", "suspend"),
    "resume": _act("suspended", "active", "resume"),
    "shelve": _act("active stopped paused suspended", "shelved", "shelve"),
    "shelve_offload": _act("shelved", "shelved_offloaded", "shelveOffload"),
    "unshelve": _act("shelved shelved_offloaded", "active", "unshelve", relaunch=True),
    "resize": _act("active stopped", "resized", "resize", relaunch=True),
    "confirm_resize": _act("resized", None, "confirmResize"),
    "revert_resize": _act("resized", None, "revertResize", relaunch=True),
    "rebuild": _act("active stopped error", "active", "rebuild", relaunch=True),
    "evacuate": _act("active stopped error", None, "evacuate", relaunch=True),
    "rescue": _act("active stopped error", "rescued", "rescue", relaunch=True),
    "unrescue": _act("rescued", "active", "unrescue"),
    "error": _act("", "error", None),
    "reset_state": _act("", "active", None),
    "rename": _act("", None, None),
    "lock": _act("", None, "lock"),
    "unlock": _act("", None, "unlock"),
    "task": _act("", None, None),
    "attach_floating_ip": _act("", None, None, silent=True),
    "detach_floating_ip": _act("", None, None, silent=True),
    "attach_volume": _act("", None, "attach_volume"),
    "detach_volume": _act("", None, "detach_volume"),
    "soft_delete": _act("", "soft-delete", "delete"),
    "restore": _act("soft-delete", "active", "restore"),
    "delete": Act(_LIVE | {"soft-delete"}, "deleted", "delete"),
}


def status_of(vm_state: str, task_state: Optional[str]) -> str:
    """Return the status that the API shows for nova's own two states."""
    if vm_state == "active":
        return {
            "rebooting": "REBOOT",
            "rebooting_hard": "HARD_REBOOT",
            "updating_password": "PASSWORD",
            "rebuilding": "REBUILD",
            "migrating": "MIGRATING",
            "resize_prep": "RESIZE",
            "resize_migrating": "RESIZE",
            "resize_finish": "RESIZE",
        }.get(task_state or "", "ACTIVE")
    if vm_state == "resized" and task_state == "resize_reverting":
        return "REVERT_RESIZE"
    return STATUS.get(vm_state, "UNKNOWN")


STATUS = {
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "resized": "VERIFY_RESIZE",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "error": "ERROR",
    "deleted": "DELETED",
    "soft-delete": "SOFT_DELETED",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
}

STATUSES = frozenset(STATUS.values()) | {
    "ACTIVE",
    "REBOOT",
    "HARD_REBOOT",
    "PASSWORD",
    "REBUILD",
    "MIGRATING",
    "RESIZE",
    "REVERT_RESIZE",
}
