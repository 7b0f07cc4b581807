"""Machines taken from what a real oned answered: a recording becomes a machine that answers the same again."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from tests.federation.opennebula.machine import Machine, Record
from tests.federation.opennebula.template import Pairs

_BEHIND_HISTORY = frozenset({"SNAPSHOTS"})


def adopted(element: ElementTree.Element) -> Machine:
    """Return the machine that a VM element describes, with the records that stand in it."""
    rights = element.find("PERMISSIONS")
    machine = Machine(
        id=_number(element, "ID"),
        uid=_number(element, "UID"),
        gid=_number(element, "GID"),
        name=element.findtext("NAME") or "",
        stime=_number(element, "STIME"),
        template=_pairs(element.find("TEMPLATE")),
        user_template=_pairs(element.find("USER_TEMPLATE")),
        state=_number(element, "STATE"),
        lcm=_number(element, "LCM_STATE"),
        previous=(_number(element, "PREV_STATE"), _number(element, "PREV_LCM_STATE")),
        etime=_number(element, "ETIME"),
        deploy_id=element.findtext("DEPLOY_ID") or "",
        permissions="600" if rights is None else _octal(rights),
        resched=_number(element, "RESCHED"),
        last_poll=_number(element, "LAST_POLL"),
    )
    machine.monitoring = _pairs(element.find("MONITORING"))
    lock = element.find("LOCK")
    if lock is not None:
        machine.lock = "".join(ElementTree.tostring(child, "unicode") for child in lock)
    machine.extra = "".join(ElementTree.tostring(row, "unicode") for row in element if row.tag in _BEHIND_HISTORY)
    machine.records = [_record(row) for row in element.iterfind("HISTORY_RECORDS/HISTORY")]
    for record in machine.records:
        if record.rstime:
            machine.processes.append([record.rstime, record.retime or record.etime or None])
    machine.changed = max([machine.stime, machine.etime, *[max(row.stime, row.etime) for row in machine.records]])
    return machine


def _record(row: ElementTree.Element) -> Record:
    names = "SEQ HID CID STIME ETIME PSTIME PETIME RSTIME RETIME ESTIME EETIME ACTION UID GID REQUEST_ID REASON DS_ID"
    numbers = {name.lower(): _number(row, name) for name in names.split() if row.find(name) is not None}
    return Record(
        hostname=row.findtext("HOSTNAME") or "",
        vm_mad=row.findtext("VM_MAD") or row.findtext("VMMMAD") or "",
        tm_mad=row.findtext("TM_MAD") or row.findtext("TMMAD") or "",
        **{"cid": 0, **numbers},
    )


def _number(element: ElementTree.Element, name: str) -> int:
    return int(element.findtext(name) or 0)


def _octal(element: ElementTree.Element) -> str:
    weights = (("U", 4), ("M", 2), ("A", 1))
    digits = [
        sum(n * _number(element, f"{who}_{right}") for right, n in weights) for who in ("OWNER", "GROUP", "OTHER")
    ]
    return "".join(map(str, digits))


def _pairs(element: Any) -> Pairs:
    children = element if element is not None else ()
    return [(child.tag, _pairs(child) if len(child) else child.text or "") for child in children]
