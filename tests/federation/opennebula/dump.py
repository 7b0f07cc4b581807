"""Machines as oned writes them: in full, short, with all records or the last, each in the manner of its version."""

from __future__ import annotations

from typing import Iterable, List, Optional, Protocol

from tests.federation.opennebula.machine import Machine, Record
from tests.federation.opennebula.monitoring import Sample
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import Pairs, cdata, first, render, vectors

_SHORT_DISK = (
    "DISK_ID DATASTORE DATASTORE_ID IMAGE IMAGE_ID SIZE TYPE CLONE CLONE_TARGET LN_TARGET DISK_SNAPSHOT_TOTAL_SIZE"
).split()
_SHORT_NIC = (
    "IP IP6_ULA IP6_LINK IP6_GLOBAL MAC NETWORK NETWORK_ID NIC_ID PARENT PARENT_ID EXTERNAL_IP SECURITY_GROUPS"
).split()
_SHORT_USER_TEMPLATE = ("LABELS", "SCHED_REQUIREMENTS", "SCHED_RANK")


class Names(Protocol):
    """Who is behind a number."""

    def user_name(self, uid: int) -> str:
        """Return the name of a user; what oned kept when it was deleted."""

    def group_name(self, gid: int) -> str:
        """Return the name of a group."""


def full(profile: Profile, machine: Machine, records: Iterable[Record], sample: Optional[Sample], names: Names) -> str:
    """Return the whole machine with the given records."""
    head = [
        _owner(machine, names),
        permissions(machine.permissions),
        f"<LAST_POLL>{0 if sample is None else sample.instant}</LAST_POLL>",
        f"<STATE>{machine.state}</STATE><LCM_STATE>{machine.lcm}</LCM_STATE>",
    ]
    if profile.since(4, 4):
        head.append(
            f"<PREV_STATE>{machine.previous[0]}</PREV_STATE><PREV_LCM_STATE>{machine.previous[1]}</PREV_LCM_STATE>"
        )
    if profile.since(3, 4):
        head.append(f"<RESCHED>{machine.resched}</RESCHED>")
    head.append(_times(machine))
    if machine.lock and profile.since(5, 2):
        head.append(f"<LOCK>{machine.lock}</LOCK>")
    head.append(_monitoring(profile, machine, sample))
    if profile.since(6, 0):
        head.append("<SCHED_ACTIONS></SCHED_ACTIONS>")
    if profile.since(4, 0):
        head.append(f"<TEMPLATE>{render(machine.template)}</TEMPLATE>")
        head.append(f"<USER_TEMPLATE>{render(machine.user_template)}</USER_TEMPLATE>")
    else:
        head.append(f"<TEMPLATE>{render(machine.template + machine.user_template)}</TEMPLATE>")
    shown = "".join(history(profile, machine, record) for record in records)
    head.append(f"<HISTORY_RECORDS>{shown}</HISTORY_RECORDS>" if shown else "<HISTORY_RECORDS/>")
    head.append(machine.extra)
    if profile.since(6, 6):
        head.append("<BACKUPS><BACKUP_CONFIG/><BACKUP_IDS></BACKUP_IDS></BACKUPS>")
    return f"<VM>{''.join(head)}</VM>"


def short(profile: Profile, machine: Machine, names: Names) -> str:
    """Return the machine as vmpool.info of 5.8 and newer has it: the last record has no times."""
    template = machine.template
    sizes = ["CPU", "MEMORY"] + (["VCPU"] if profile.since(6, 0) else [])
    rows = [f"<{name}>{first(template, name)}</{name}>" for name in sizes if first(template, name) is not None]
    rows += [f"<DISK>{_some(disk, _SHORT_DISK)}</DISK>" for disk in vectors(template, "DISK")]
    for name in ("NIC", "NIC_ALIAS"):
        rows += [f"<{name}>{_some(nic, _SHORT_NIC)}</{name}>" for nic in vectors(template, name)]
    kept = [pair for pair in machine.user_template if pair[0] in _SHORT_USER_TEMPLATE]
    record = _short_history(profile, machine) if machine.records else ""
    return "".join(
        [
            "<VM>",
            _owner(machine, names),
            f"<LAST_POLL>{machine.last_poll}</LAST_POLL>",
            f"<STATE>{machine.state}</STATE><LCM_STATE>{machine.lcm}</LCM_STATE><RESCHED>{machine.resched}</RESCHED>",
            _times(machine),
            f"<TEMPLATE>{''.join(rows)}</TEMPLATE>{_short_monitoring(machine)}",
            f"<USER_TEMPLATE>{render(kept)}</USER_TEMPLATE>" if kept else "<USER_TEMPLATE/>",
            f"<HISTORY_RECORDS>{record}</HISTORY_RECORDS>" if record else "<HISTORY_RECORDS/>",
            "</VM>",
        ]
    )


def history(profile: Profile, machine: Machine, record: Record, inside: str = "") -> str:
    """Return one record with all its times; ``inside`` is the machine that accounting puts into it."""
    rows = [f"<OID>{machine.id}</OID>"] if profile.since(3, 6) else []
    rows.append(f"<SEQ>{record.seq}</SEQ><HOSTNAME>{record.hostname}</HOSTNAME>")
    if not profile.since(3, 4):
        rows.append("<VM_DIR>/var/lib/one</VM_DIR>")
    rows.append(f"<HID>{record.hid}</HID>")
    if profile.since(4, 4):
        rows.append(f"<CID>{record.cid}</CID>")
    rows.append(f"<STIME>{record.stime}</STIME><ETIME>{record.etime}</ETIME>")
    if profile.since(5, 0):
        rows.append(f"<VM_MAD>{cdata(record.vm_mad)}</VM_MAD><TM_MAD>{cdata(record.tm_mad)}</TM_MAD>")
    else:
        rows.append(f"<VMMMAD>{record.vm_mad}</VMMMAD><VNMMAD>dummy</VNMMAD><TMMAD>{record.tm_mad}</TMMAD>")
    if profile.since(3, 4):
        rows.append(f"<DS_ID>{record.ds_id}</DS_ID>")
    rows.append(f"<PSTIME>{record.pstime}</PSTIME><PETIME>{record.petime}</PETIME>")
    rows.append(f"<RSTIME>{record.rstime}</RSTIME><RETIME>{record.retime}</RETIME>")
    rows.append(f"<ESTIME>{record.estime}</ESTIME><EETIME>{record.eetime}</EETIME>")
    if not profile.since(5, 3):
        rows.append(f"<REASON>{record.reason}</REASON>")
    if profile.since(4, 2):
        rows.append(f"<ACTION>{record.action}</ACTION>")
    if profile.since(5, 4):
        rows.append(f"<UID>{record.uid}</UID><GID>{record.gid}</GID><REQUEST_ID>{record.request_id}</REQUEST_ID>")
    if profile.since(7, 0):
        rows.append("<PLAN_ID>-1</PLAN_ID><ACTION_ID>-1</ACTION_ID>")
    return f"<HISTORY>{''.join(rows)}{inside}</HISTORY>"


def permissions(octal: str) -> str:
    """Return PERMISSIONS from three digits, as in 640."""
    rows = []
    for who, digit in zip(("OWNER", "GROUP", "OTHER"), octal):
        for right, bit in (("U", 4), ("M", 2), ("A", 1)):
            rows.append(f"<{who}_{right}>{1 if int(digit) & bit else 0}</{who}_{right}>")
    return f"<PERMISSIONS>{''.join(rows)}</PERMISSIONS>"


def sampled(sample: Sample, key: int) -> Pairs:
    """Return the attributes of one MONITORING element of 4.14 and newer."""
    return [("CPU", f"{sample.cpu}"), ("ID", str(key)), ("MEMORY", str(sample.memory))] + [
        ("NETRX", str(sample.received)),
        ("NETTX", str(sample.sent)),
        ("TIMESTAMP", str(sample.instant)),
    ]


def _short_monitoring(machine: Machine) -> str:
    if not machine.monitoring:
        return "<MONITORING/>"
    values = [(name, first(machine.monitoring, name) or "") for name in ("CPU", "MEMORY", "STATE")]
    return f"<MONITORING>{render(values)}</MONITORING>"


def _short_history(profile: Profile, machine: Machine) -> str:
    record = machine.last
    drivers = ""
    if profile.since(6, 0):
        drivers = f"<VM_MAD>{cdata(record.vm_mad)}</VM_MAD><TM_MAD>{cdata(record.tm_mad)}</TM_MAD>"
    return (
        f"<HISTORY><OID>{machine.id}</OID><SEQ>{record.seq}</SEQ><HOSTNAME>{cdata(record.hostname)}</HOSTNAME>"
        f"<HID>{record.hid}</HID><CID>{record.cid}</CID><DS_ID>{record.ds_id}</DS_ID>{drivers}"
        f"<ACTION><![CDATA[{record.action}]]></ACTION></HISTORY>"
    )


def _owner(machine: Machine, names: Names) -> str:
    return (
        f"<ID>{machine.id}</ID><UID>{machine.uid}</UID><GID>{machine.gid}</GID>"
        f"<UNAME>{names.user_name(machine.uid)}</UNAME><GNAME>{names.group_name(machine.gid)}</GNAME>"
        f"<NAME>{machine.name}</NAME>"
    )


def _times(machine: Machine) -> str:
    return f"<STIME>{machine.stime}</STIME><ETIME>{machine.etime}</ETIME><DEPLOY_ID>{machine.deploy_id}</DEPLOY_ID>"


def _monitoring(profile: Profile, machine: Machine, sample: Optional[Sample]) -> str:
    if not profile.since(4, 14):
        shown = sample or Sample(0, 0, 0, 0, 0)
        return (
            f"<MEMORY>{shown.memory}</MEMORY><CPU>{shown.cpu}</CPU>"
            f"<NET_TX>{shown.sent}</NET_TX><NET_RX>{shown.received}</NET_RX>"
        )
    if sample is None:
        return "<MONITORING></MONITORING>"
    rows = machine.monitoring if machine.monitoring is not None else sampled(sample, machine.id)
    if not profile.since(5, 12):
        rows = [row for row in rows if row[0] not in ("ID", "TIMESTAMP")]
    return f"<MONITORING>{render(rows)}</MONITORING>"


def _some(attributes: Pairs, wanted: List[str]) -> str:
    values = dict(attributes)
    return "".join(f"<{name}>{cdata(values[name])}</{name}>" for name in wanted if name in values)
