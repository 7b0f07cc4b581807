"""How a server of the compute API becomes a virtual machine of the contract. Pure: no call leaves from here.

This is where a large cloud spends our processor time, some ten microseconds a row: each row is read once, in one
function, and whatever repeats among rows (days, addresses) is worked out once.
"""

from __future__ import annotations

import calendar
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, FrozenSet, List, Mapping, NamedTuple, Optional, Union

from fedcloud_agent.clouds.addresses import is_routed
from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED, Unreadable, VirtualMachine

STATUS: Mapping[str, str] = {
    **dict.fromkeys(
        ("ACTIVE", "BUILD", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "REBOOT", "REBUILD", "RESCUE", "RESIZE"),
        STARTED,
    ),
    **dict.fromkeys(("REVERT_RESIZE", "VERIFY_RESIZE"), STARTED),
    **dict.fromkeys(("PAUSED", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SUSPENDED"), SUSPENDED),
    # it can still be restored, and has no end yet
    "SOFT_DELETED": SUSPENDED,
    "DELETED": COMPLETED,
}
"""The compute API's words for a server's status. A word that is not here says nothing that could be accounted."""

_LAUNCHED = "OS-SRV-USG:launched_at"
_TERMINATED = "OS-SRV-USG:terminated_at"
_NEVER_TOLD = object()
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|\+00:00)?", re.ASCII)
# nothing real is larger; a number beyond is a fault of the sender that would end in the accounts
_LARGEST = 2**40


class Flavor(NamedTuple):
    """The size of a server."""

    cpus: int
    memory: int
    """MB."""
    disk: int
    """GB, root and ephemeral."""
    benchmark_type: Optional[str]
    benchmark: Optional[float]


@dataclass(frozen=True)
class Reading:
    """What a row is read with: facts of the run that no row tells.

    ``vos`` are the VOs by project id; ``users`` and ``images`` may lack an id, which then stays without a name or
    stands for itself. ``flavors`` are needed only below microversion 2.47.
    """

    vos: Mapping[str, str]
    users: Mapping[str, Optional[str]]
    images: Mapping[str, str]
    flavors: Mapping[str, Flavor]
    public_networks: FrozenSet[str] = frozenset()
    count_fixed: bool = True
    benchmark_type_key: str = "accounting:benchmark_type"
    benchmark_value_key: str = "accounting:benchmark_value"
    benchmark_type: Optional[str] = None
    benchmark: Optional[float] = None


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
    if not (1970 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        raise ValueError(f"{text!r} is not a day")
    return calendar.timegm((year, month, day, 0, 0, 0))


def instant(text: str) -> int:
    """Return the instant that the API wrote; without a zone it is UTC, and fractions are cut off.

    Raises ValueError or TypeError for anything else.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not an instant")
    day, hour, minute, second = match.groups()
    return _day(day) + int(hour) * 3600 + int(minute) * 60 + int(second)


def public_addresses(addresses: Mapping[str, Any], networks: FrozenSet[str], count_fixed: bool) -> int:
    """Return how many addresses the world can reach: floating ones, and fixed ones that are routed globally."""
    count = 0
    for network, entries in addresses.items():
        for entry in entries:
            if entry.get("OS-EXT-IPS:type") == "floating" or (
                network in networks or (count_fixed and is_routed(entry["addr"]))
            ):
                count += 1
    return count


def _count(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError(f"{what} {value!r:.40} is not a count")
    return value


def uuid_of(row: Mapping[str, Any]) -> str:
    """Return a server's id in lower case. Raises ValueError, TypeError or KeyError when it is none."""
    uuid = row["id"]
    if _UUID.fullmatch(uuid) is None:
        raise ValueError(f"{uuid!r:.60} is not the id of a server")
    return str(uuid).lower()


def flavor(described: Mapping[str, Any], reading: Reading) -> Flavor:
    """Return the size that a server carries (2.47 and later) or that the list of flavors shows."""
    kind, value = reading.benchmark_type, reading.benchmark
    specs = described.get("extra_specs")
    if specs:
        own_kind, own_value = specs.get(reading.benchmark_type_key), _number(specs.get(reading.benchmark_value_key))
        if own_kind and own_value:
            kind, value = str(own_kind), own_value
    ephemeral = described.get("ephemeral")
    if ephemeral is None:
        ephemeral = described.get("OS-FLV-EXT-DATA:ephemeral", 0)
    return Flavor(
        _count(described["vcpus"], "vcpus"),
        _count(described["ram"], "ram"),
        _count(described["disk"], "disk") + _count(ephemeral, "ephemeral"),
        kind,
        value,
    )


def _number(text: object) -> Optional[float]:
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def machine_of(row: Mapping[str, Any], reading: Reading) -> Union[VirtualMachine, Unreadable]:
    """Return the machine that a row describes, of a project that serves a VO, or why the cloud does not describe it.

    Raises what misshapen data raises: KeyError, ValueError, TypeError, AttributeError.
    """
    uuid = uuid_of(row)
    if "flavor" not in row or "name" not in row:
        # a stub, which stands for a server of a cell that is down (2.69 and later)
        return Unreadable(uuid, "the cloud shows it without its description")
    word = row["status"]
    status = STATUS.get(word)
    if status is None:
        return Unreadable(uuid, f"its status is {word!r:.40}")
    name, user, group = row["name"], row["user_id"], row["tenant_id"]
    if not (isinstance(name, str) and isinstance(user, str)):
        raise ValueError("its name or user is no text")

    described = row["flavor"]
    if "vcpus" in described:
        size = flavor(described, reading)
    else:
        found = reading.flavors.get(described["id"])
        if found is None:
            return Unreadable(uuid, f"its flavor {described['id']!r:.60} is not known any more")
        size = found

    changed = instant(row["updated"])
    start: Optional[int] = instant(row["created"])
    launched = row.get(_LAUNCHED, _NEVER_TOLD)
    # where the cloud does not tell launches at all, only these two may be of before one
    if launched is None or (launched is _NEVER_TOLD and word in ("BUILD", "ERROR")):
        start = None
    end = None
    public_ips = None
    if status is COMPLETED:
        if start is not None:
            ended = row.get(_TERMINATED)
            end = max(start, instant(ended) if ended else changed)
    elif row.get("addresses") is not None:
        addresses = row["addresses"]
        public_ips = public_addresses(addresses, reading.public_networks, reading.count_fixed) if addresses else 0

    image = row.get("image") or None
    if image is not None:
        image = image["id"]
        image = reading.images.get(image, image)
    return VirtualMachine(
        uuid,
        name,
        status,
        word,
        user,
        group,
        reading.users.get(user),
        reading.vos[group],
        start,
        end,
        changed,
        size.cpus,
        size.memory,
        size.disk,
        image,
        public_ips,
        None,
        None,
        None,
        None,
        size.benchmark_type,
        size.benchmark,
    )


class Rows(NamedTuple):
    """A page that was read: ``nonsense`` is what cannot even be told apart from other servers."""

    machines: List[VirtualMachine]
    unreadable: List[Unreadable]
    nonsense: List[str]


def read_page(rows: List[Any], reading: Reading, *, only_deleted: bool = False) -> Rows:
    """Return the machines of those projects that serve a VO; rows of other projects are passed over.

    Raises ValueError when the page has rows and not one of them is shaped as a server.
    """
    machines: List[VirtualMachine] = []
    unreadable: List[Unreadable] = []
    nonsense: List[str] = []
    vos = reading.vos
    misshapen = 0
    for row in rows:
        try:
            if row["tenant_id"] not in vos or (only_deleted and row["status"] != "DELETED"):
                continue
            machine = machine_of(row, reading)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            misshapen += 1
            reason = (f"it has no {error}" if isinstance(error, KeyError) else str(error))[:200]
            try:
                unreadable.append(Unreadable(uuid_of(row), reason))
            except (KeyError, ValueError, TypeError, AttributeError):
                nonsense.append(reason)
            continue
        if isinstance(machine, VirtualMachine):
            machines.append(machine)
        else:
            unreadable.append(machine)
    if misshapen and misshapen == len(rows):
        raise ValueError((nonsense or [u.reason for u in unreadable])[0])
    return Rows(machines, unreadable, nonsense)
