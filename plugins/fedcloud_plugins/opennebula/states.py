"""The states of a machine: oned's words for them, and what each says of its guest."""

from __future__ import annotations

from typing import Optional

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED
from fedcloud_plugins.opennebula.row import Row

ACTIVE = 3

_STATES = "INIT PENDING HOLD ACTIVE STOPPED SUSPENDED DONE FAILED POWEROFF UNDEPLOYED CLONING CLONING_FAILURE".split()
_LCM_STATES = (
    "INIT PROLOG BOOT RUNNING MIGRATE SAVE_STOP SAVE_SUSPEND SAVE_MIGRATE PROLOG_MIGRATE PROLOG_RESUME "
    "EPILOG_STOP EPILOG SHUTDOWN CANCEL FAILURE CLEANUP_RESUBMIT UNKNOWN HOTPLUG SHUTDOWN_POWEROFF BOOT_UNKNOWN "
    "BOOT_POWEROFF BOOT_SUSPENDED BOOT_STOPPED CLEANUP_DELETE HOTPLUG_SNAPSHOT HOTPLUG_NIC HOTPLUG_SAVEAS "
    "HOTPLUG_SAVEAS_POWEROFF HOTPLUG_SAVEAS_SUSPENDED SHUTDOWN_UNDEPLOY EPILOG_UNDEPLOY PROLOG_UNDEPLOY BOOT_UNDEPLOY "
    "HOTPLUG_PROLOG_POWEROFF HOTPLUG_EPILOG_POWEROFF BOOT_MIGRATE BOOT_FAILURE BOOT_MIGRATE_FAILURE "
    "PROLOG_MIGRATE_FAILURE PROLOG_FAILURE EPILOG_FAILURE EPILOG_STOP_FAILURE EPILOG_UNDEPLOY_FAILURE "
    "PROLOG_MIGRATE_POWEROFF PROLOG_MIGRATE_POWEROFF_FAILURE PROLOG_MIGRATE_SUSPEND PROLOG_MIGRATE_SUSPEND_FAILURE "
    "BOOT_UNDEPLOY_FAILURE BOOT_STOPPED_FAILURE PROLOG_RESUME_FAILURE PROLOG_UNDEPLOY_FAILURE DISK_SNAPSHOT_POWEROFF "
    "DISK_SNAPSHOT_REVERT_POWEROFF DISK_SNAPSHOT_DELETE_POWEROFF DISK_SNAPSHOT_SUSPENDED "
    "DISK_SNAPSHOT_REVERT_SUSPENDED DISK_SNAPSHOT_DELETE_SUSPENDED DISK_SNAPSHOT DISK_SNAPSHOT_REVERT "
    "DISK_SNAPSHOT_DELETE PROLOG_MIGRATE_UNKNOWN PROLOG_MIGRATE_UNKNOWN_FAILURE DISK_RESIZE DISK_RESIZE_POWEROFF "
    "DISK_RESIZE_UNDEPLOYED HOTPLUG_NIC_POWEROFF HOTPLUG_RESIZE HOTPLUG_SAVEAS_UNDEPLOYED HOTPLUG_SAVEAS_STOPPED "
    "BACKUP BACKUP_POWEROFF RESTORE".split()
)
_STATUS = (*[STARTED] * 4, *[SUSPENDED] * 2, *[COMPLETED] * 2, *[SUSPENDED] * 2, *[STARTED] * 2)

# something is done to the disks or interfaces of a guest that is off, and goes on being so
_OFF = frozenset(
    number
    for number, name in enumerate(_LCM_STATES)
    if name == "RESTORE"
    or (
        name.startswith(("HOTPLUG_", "PROLOG_MIGRATE_", "DISK_", "BACKUP_"))
        and any(word in name for word in ("_POWEROFF", "_SUSPEND", "_UNDEPLOYED", "_STOPPED"))
    )
)


def status_of(row: Row) -> Optional[str]:
    """Return the machine's status, or None for a state that is not known to us."""
    return _STATUS[row.state] if row.state < len(_STATUS) else None


def word_of(row: Row) -> str:
    """Return oned's own word for people: ``ACTIVE/RUNNING``, ``POWEROFF``; the number of a state without word."""
    state = _STATES[row.state] if row.state < len(_STATES) else str(row.state)
    if row.state != ACTIVE:
        return state
    return f"{state}/{_LCM_STATES[row.lcm_state] if row.lcm_state < len(_LCM_STATES) else row.lcm_state}"


def may_run(row: Row) -> bool:
    """Tell whether an open record means that its guest runs; an unknown one (state UNKNOWN) counts as running."""
    return row.state == ACTIVE and row.lcm_state not in _OFF


def is_over(row: Row) -> bool:
    """Tell whether the machine came to its end."""
    return status_of(row) == COMPLETED
