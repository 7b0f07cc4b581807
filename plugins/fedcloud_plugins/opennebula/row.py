"""One VM element of oned, read into what usage needs of it. Pure: nothing is decided here, and nothing guessed.

The element's shape is that of oned's VM documents from 3.2 to 7.x. A value that is not what it should be is kept as a
reason in ``Row.odd``: such a machine is there, but cannot be described.
"""

from __future__ import annotations

import math
from enum import Enum
from operator import attrgetter
from typing import Dict, List, Mapping, NamedTuple, Optional, Set, Tuple
from xml.etree.ElementTree import Element

LATEST = 7_258_118_400
"""The year 2200: an instant beyond it is a fault of the sender, which would end in the accounts."""

_LARGEST_ID = 2**31 - 1
_LARGEST_COUNT = 2**40
_LARGEST_COUNTER = 2**62
_LONGEST_TEXT = 4096


class Form(Enum):
    """How much of a machine an answer tells."""

    FULL = "full"
    """All history records."""
    LAST = "last"
    """The last history record, with its times."""
    SHORT = "short"
    """The last history record without times, and a template of which much is left out."""


class History(NamedTuple):
    """A stay on one host. Instants are 0 where oned has not set them."""

    seq: int
    hid: int
    cid: int
    """The cluster, or -1 where oned does not tell it (before 4.4)."""
    stime: int
    etime: int
    rstime: int
    retime: int
    estime: int
    eetime: int
    action: int
    """Why it was closed; overwritten by what happened to a stopped guest since."""

    @property
    def key(self) -> Tuple[int, int]:
        """What names it for ever: SEQ does not, since ``onedb purge-history`` numbers anew."""
        return self.stime, self.hid

    @property
    def closed(self) -> int:
        """The instant at which its guest was gone as far as it tells, or 0."""
        return self.retime or self.estime or self.etime


class Disk(NamedTuple):
    """A disk. ``size`` is in MB, None where oned does not tell it."""

    size: Optional[int]
    cdrom: bool
    image: Optional[int]


class Nic(NamedTuple):
    """A network interface or an alias of one."""

    network: str
    network_id: str
    addresses: Tuple[str, ...]


class Sample(NamedTuple):
    """Network counters of the hypervisor's process, in bytes; 0 says nothing. ``at``: when, or None if not told."""

    received: int
    sent: int
    at: Optional[int]


class Row(NamedTuple):
    """A machine as one answer of oned tells it."""

    id: int
    stime: int
    etime: int
    """0 while it lives."""
    state: int
    lcm_state: int
    uid: int
    gid: int
    uname: str
    gname: str
    name: str
    polled: int
    """When it was last monitored, or 0."""
    vcpu: int
    """0: not told, which is one, unless the short form of an early release leaves it out."""
    memory: int
    """MB."""
    disks: Tuple[Disk, ...]
    first_disk: Mapping[str, str]
    """All that is told of the disk that it boots from."""
    nics: Tuple[Nic, ...]
    template: Optional[int]
    """The id of the template that it was made from."""
    told: Mapping[str, str]
    """The user template."""
    sample: Optional[Sample]
    history: Tuple[History, ...]
    """In order of time."""
    form: Form
    odd: Tuple[str, ...]
    """Why it cannot be described."""


def number(text: Optional[str], most: int) -> int:
    """Return the whole number that oned wrote. Raises ValueError for anything but 0 to ``most``."""
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError(f"{text[:40]!r} is no number")
    value = int(text)
    if value > most:
        raise ValueError(f"{value} is too large")
    return value


def identifier(text: Optional[str]) -> Optional[int]:
    """Return an id of oned, or None where it has none (-1) or says nonsense."""
    try:
        return number(text, _LARGEST_ID)
    except ValueError:
        return None


def texts(element: Optional[Element]) -> Dict[str, str]:
    """Return the attributes of a template that are plain text. Of one that comes twice the first counts."""
    found: Dict[str, str] = {}
    if element is None:
        return found
    for child in element:
        text = (child.text or "").strip()
        if text and len(text) <= _LONGEST_TEXT and not len(child):
            found.setdefault(child.tag, text)
    return found


def sample_of(element: Element, polled: int = 0) -> Optional[Sample]:
    """Return the counters of a MONITORING element (4.14 and later) or of a VM (before), or None if it has none.

    ``polled``: when the sample was taken, where the element itself does not say so; 0 if that is not known.
    """
    values = {child.tag: child.text for child in element}
    received = _counter(values.get("NETRX", values.get("NET_RX")))
    sent = _counter(values.get("NETTX", values.get("NET_TX")))
    if not (received or sent):
        return None
    return Sample(received, sent, _instant(values.get("TIMESTAMP")) or polled or None)


def row_of(element: Element, form: Form) -> Row:
    """Return the machine that an element tells of. Raises ValueError for what cannot be told apart as a machine."""
    fields: Dict[str, Element] = {}
    twice: Set[str] = set()
    for child in element:
        if child.tag in fields:
            twice.add(child.tag)
        else:
            fields[child.tag] = child
    plain = {tag: child.text for tag, child in fields.items()}
    for name in ("ID", "STIME"):
        if name in twice:
            raise ValueError(f"a machine has {name} twice")
    try:
        id_, stime = number(plain.get("ID"), _LARGEST_ID), number(plain.get("STIME"), LATEST)
    except ValueError as error:
        raise ValueError(f"a machine cannot be told apart from others, its ID or STIME: {error}") from None
    reader = _Reader([f"it has {name} twice" for name in sorted(twice & _SINGLE)])
    state = reader.whole(plain, "STATE", _LARGEST_COUNT)
    template = fields.get("TEMPLATE")
    told = fields.get("USER_TEMPLATE")
    polled = _instant(plain.get("LAST_POLL"))
    disks, nics, sizes = _parts(template, reader)
    monitoring = fields.get("MONITORING")
    return Row(
        id_,
        stime,
        reader.whole(plain, "ETIME", LATEST),
        state,
        reader.whole(plain, "LCM_STATE", _LARGEST_COUNT) if "LCM_STATE" in plain else 0,
        reader.whole(plain, "UID", _LARGEST_ID),
        reader.whole(plain, "GID", _LARGEST_ID),
        _text(plain, "UNAME"),
        _text(plain, "GNAME"),
        _text(plain, "NAME"),
        polled,
        reader.size(sizes, "VCPU", 0),
        reader.size(sizes, "MEMORY", None),
        tuple(_disk(disk, reader) for disk in disks),
        disks[0] if disks else {},
        nics,
        identifier(sizes.get("TEMPLATE_ID")),
        texts(template if told is None else told),
        sample_of(monitoring if monitoring is not None and len(monitoring) else element, polled),
        _history(fields.get("HISTORY_RECORDS"), form, reader),
        form,
        tuple(reader.odd),
    )


_SINGLE = frozenset({"STATE", "LCM_STATE", "ETIME", "UID", "GID", "TEMPLATE", "USER_TEMPLATE", "HISTORY_RECORDS"})


class _Reader:
    """Reads numbers, and keeps the reasons for those that are none."""

    def __init__(self, odd: List[str]) -> None:
        self.odd = odd

    def whole(self, values: Mapping[str, Optional[str]], name: str, most: int, of: str = "") -> int:
        try:
            return number(values[name], most)
        except KeyError:
            self.odd.append(f"it has no {of}{name}")
        except ValueError as error:
            self.odd.append(f"its {of}{name}: {error}")
        return 0

    def size(self, values: Mapping[str, str], name: str, missing: Optional[int], of: str = "") -> int:
        """Return an amount, cut to a whole one: users write 512.0 too."""
        text = values.get(name)
        if text is None:
            if missing is None:
                self.odd.append(f"it has no {of}{name}")
            return missing or 0
        try:
            value = float(text) if len(text) <= 40 and text.isascii() and "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not 0 <= value <= _LARGEST_COUNT:
            self.odd.append(f"its {of}{name}: {text[:40]!r} is no amount")
            return 0
        return int(value)


def _text(values: Mapping[str, Optional[str]], name: str) -> str:
    return (values.get(name) or "").strip()


def _instant(text: Optional[str]) -> int:
    try:
        return number(text, LATEST)
    except ValueError:
        return 0


def _counter(text: Optional[str]) -> int:
    try:
        return number(text, _LARGEST_COUNTER)
    except ValueError:
        return 0


_SIZES = frozenset({"VCPU", "MEMORY", "TEMPLATE_ID"})
_ADDRESSES = ("IP", "IP6", "IP6_GLOBAL", "EXTERNAL_IP")


def _parts(
    template: Optional[Element], reader: _Reader
) -> Tuple[List[Mapping[str, str]], Tuple[Nic, ...], Dict[str, str]]:
    disks: List[Mapping[str, str]] = []
    nics: List[Nic] = []
    sizes: Dict[str, str] = {}
    if template is None:
        return disks, (), sizes
    for child in template:
        tag = child.tag
        if tag == "DISK":
            disks.append(texts(child))
        elif tag in ("NIC", "NIC_ALIAS"):
            nic = texts(child)
            addresses = tuple(nic[name] for name in _ADDRESSES if name in nic)
            nics.append(Nic(nic.get("NETWORK", ""), nic.get("NETWORK_ID", ""), addresses))
        elif tag in _SIZES:
            text = (child.text or "").strip()
            if text and sizes.setdefault(tag, text) != text:
                reader.odd.append(f"it has {tag} twice")
    disks.sort(key=_disk_order)
    return disks, tuple(nics), sizes


def _disk_order(disk: Mapping[str, str]) -> int:
    place = identifier(disk.get("DISK_ID"))
    return _LARGEST_ID if place is None else place


def _disk(disk: Mapping[str, str], reader: _Reader) -> Disk:
    size = reader.size(disk, "SIZE", 0, "DISK/") if "SIZE" in disk else None
    return Disk(size, disk.get("TYPE", "").upper() == "CDROM", identifier(disk.get("IMAGE_ID")))


_INSTANTS = ("STIME", "ETIME", "RSTIME", "RETIME", "ESTIME", "EETIME")


def _history(records: Optional[Element], form: Form, reader: _Reader) -> Tuple[History, ...]:
    if records is None:
        return ()
    found: List[History] = []
    for element in records:
        if element.tag != "HISTORY":
            continue
        values = {child.tag: child.text for child in element}
        of = f"HISTORY {(values.get('SEQ') or '')[:10]}: "
        told = form is not Form.SHORT
        instants = {name.lower(): reader.whole(values, name, LATEST, of) if told else 0 for name in _INSTANTS}
        cid, action = identifier(values.get("CID")), identifier(values.get("ACTION"))
        found.append(
            History(
                seq=reader.whole(values, "SEQ", _LARGEST_ID, of),
                hid=reader.whole(values, "HID", _LARGEST_ID, of),
                cid=-1 if cid is None else cid,
                action=0 if action is None else action,
                **instants,
            )
        )
    found.sort(key=attrgetter("seq", "stime"))
    return tuple(found)
