"""VM elements as oned writes them, made from a few words; and what a reading needs beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union
from xml.etree.ElementTree import Element, SubElement, fromstring

from fedcloud_agent.clouds.contract import Problem, Unreadable, VirtualMachine
from fedcloud_plugins.opennebula.mapping import Reading, machine_of
from fedcloud_plugins.opennebula.pools import Cluster, Host, Image, Template, User
from fedcloud_plugins.opennebula.row import Form, Row, Sample, row_of
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings, VoSettings
from fedcloud_plugins.opennebula.vmuuid import Naming

DATA = Path(__file__).parents[2] / "data" / "opennebula"
START = 1_795_360_000
ENDPOINT = "http://one.example.org:2633/RPC2"

NEVER = dict.fromkeys(("SEQ", "HID", "STIME", "ETIME", "PSTIME", "PETIME", "RSTIME", "RETIME", "ESTIME", "EETIME"), 0)


class Story(NamedTuple):
    """A recorded life: instants are seconds since its STIME, None where oned wrote 0."""

    id: int
    name: str
    state: int
    lcm: int
    etime: Optional[int]
    records: List[Dict[str, Optional[int]]]


def stories(release: str) -> List[Story]:
    found: List[Story] = []
    for line in (DATA / f"histories-{release}.txt").read_text().splitlines():
        head = re.match(r"VM (\d+) (.*) STATE (\d+) (\d+) ETIME (\S+)", line)
        if head:
            id_, name, state, lcm, etime = head.groups()
            found.append(Story(int(id_), name, int(state), int(lcm), _offset(etime), []))
        else:
            pairs = (word.split("=") for word in line.split())
            found[-1].records.append({name: _offset(value) for name, value in pairs})
    return found


def _offset(text: str) -> Optional[int]:
    return int(text) if text.startswith("+") else None if text == "0" else int(text)


def element(
    state: int = 3,
    lcm: int = 3,
    records: Sequence[Mapping[str, Optional[int]]] = (),
    *,
    etime: Optional[int] = None,
    form: Form = Form.FULL,
    template: Sequence[Any] = (("MEMORY", 512),),
    start: int = START,
    **fields: Any,
) -> Element:
    """Return a VM; instants of ``records`` and ``etime`` are seconds since ``start``, None and missing ones 0."""
    vm = Element("VM")
    values = {"ID": 7, "UID": 2, "GID": 100, "UNAME": "alice", "GNAME": "vo.example.org", "NAME": "n", "LAST_POLL": 0}
    values.update(STATE=state, LCM_STATE=lcm, STIME=start, ETIME=0 if etime is None else start + etime, DEPLOY_ID="")
    values.update(fields)
    for name, value in values.items():
        if value is not None:
            SubElement(vm, name).text = str(value)
    fill(SubElement(vm, "TEMPLATE"), template)
    SubElement(vm, "USER_TEMPLATE")
    history = SubElement(vm, "HISTORY_RECORDS")
    for number, record in enumerate(records):
        if form is not Form.FULL and number < len(records) - 1:
            continue
        entry = SubElement(history, "HISTORY")
        for name, value in {**NEVER, "CID": 0, "ACTION": 0, "SEQ": number, **record}.items():
            if name.endswith("TIME"):
                if form is Form.SHORT:
                    continue
                value = 0 if value is None else start + value
            SubElement(entry, name).text = str(value or 0)
    return vm


for _name in list(NEVER):
    if _name.endswith("TIME"):
        NEVER[_name] = None  # type: ignore[assignment]


def fill(parent: Element, pairs: Sequence[Any]) -> Element:
    for name, value in pairs:
        child = SubElement(parent, name)
        if isinstance(value, (list, tuple)):
            fill(child, value)
        else:
            child.text = str(value)
    return parent


def row(*args: Any, form: Form = Form.FULL, **fields: Any) -> Row:
    return row_of(element(*args, form=form, **fields), form)


def story_row(story: Story, form: Form = Form.FULL) -> Row:
    return row(story.state, story.lcm, story.records, etime=story.etime, form=form, ID=story.id)


@dataclass(frozen=True)
class Site:
    """The pools of a small cloud."""

    users: Mapping[int, User] = None  # type: ignore[assignment]
    images: Mapping[int, Image] = None  # type: ignore[assignment]
    templates: Mapping[int, Template] = None  # type: ignore[assignment]
    hosts: Mapping[int, Host] = None  # type: ignore[assignment]
    clusters: Mapping[int, Cluster] = None  # type: ignore[assignment]
    samples: Mapping[int, Sample] = None  # type: ignore[assignment]


SETTINGS = OpenNebulaSettings(endpoint=ENDPOINT, vos={"vo.example.org": VoSettings(groups=("vo.example.org", "103"))})


def reading(at: int = 1000, site: Optional[Site] = None, **settings: Any) -> Reading:
    """Return a reading ``at`` seconds after START."""
    of = site or Site()
    return Reading(
        replace(SETTINGS, **settings),
        Naming(ENDPOINT),
        START + at,
        (of.users or {}).get,
        (of.images or {}).get,
        (of.templates or {}).get,
        (of.hosts or {}).get,
        (of.clusters or {}).get,
        (of.samples or {}).get,
    )


def machine(given: Row, known: Optional[VirtualMachine] = None, how: Union[Reading, int] = 1000) -> VirtualMachine:
    found, _ = machine_of(given, known, how if isinstance(how, Reading) else reading(how))
    assert isinstance(found, VirtualMachine), found
    return merged(found, known)


def merged(told: VirtualMachine, known: Optional[VirtualMachine]) -> VirtualMachine:
    """Return a machine as the ledger holds it: what a cloud no longer tells stays as it was."""
    if known is None:
        return told
    kept = ("public_ips", "global_user", "image", "start", "running", "network_in", "network_out", "site", "trace")
    return told._replace(**{name: getattr(known, name) for name in kept if getattr(told, name) is None})


def ran(found: VirtualMachine) -> str:
    """Return when it ran, as ``7-15 22-``: seconds since START."""
    assert found.running is not None
    return " ".join(f"{a - START}-{'' if b is None else b - START}" for a, b in found.running)


def told(given: Row, known: Optional[VirtualMachine] = None, how: int = 1000) -> List[Problem]:
    return machine_of(given, known, reading(how))[1]


def refused(given: Row, known: Optional[VirtualMachine] = None) -> str:
    found, _ = machine_of(given, known, reading())
    assert isinstance(found, Unreadable), found
    return found.reason


def parsed(name: str) -> Element:
    return fromstring((DATA / name).read_text(encoding="utf-8"))
