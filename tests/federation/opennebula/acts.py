"""The numbers of oned: which action closed a record, why, and the states on the way."""

from __future__ import annotations

MIGRATE, LIVE_MIGRATE, SHUTDOWN, SHUTDOWN_HARD = 1, 2, 3, 4
UNDEPLOY, UNDEPLOY_HARD, STOP, SUSPEND, RESUME = 5, 6, 9, 10, 11
DELETE, DELETE_RECREATE, POWEROFF, POWEROFF_HARD = 13, 14, 19, 20
DISK_ATTACH, DISK_DETACH, NIC_ATTACH, NIC_DETACH = 21, 22, 23, 24
DISK_SNAPSHOT_CREATE, TERMINATE, TERMINATE_HARD, DISK_RESIZE, RESIZE = 25, 27, 28, 29, 35
DISK_SNAPSHOT_REVERT, MONITOR, POWEROFF_MIGRATE, POWEROFF_HARD_MIGRATE, BACKUP = 41, 44, 48, 49, 50

# Acts that close a record and open one that goes on from there, by the action that the closed one shows.
COPIES = {
    "attach_disk": DISK_ATTACH,
    "detach_disk": DISK_DETACH,
    "attach_nic": NIC_ATTACH,
    "detach_nic": NIC_DETACH,
    "snapshot_disk": DISK_SNAPSHOT_CREATE,
    "revert_disk": DISK_SNAPSHOT_REVERT,
    "resize_disk": DISK_RESIZE,
    "backup": BACKUP,
}
