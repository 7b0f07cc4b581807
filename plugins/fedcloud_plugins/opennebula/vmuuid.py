"""VMUUIDs: a machine's name in the federation, made of the endpoint, its id and the time at which it was submitted.

An id alone would not do: a re-installed oned begins at 0 again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional, Tuple

from fedcloud_agent.errors import ConfigurationError

_UUID = re.compile(r".*/compute/(\d{1,10}) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d)", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Naming:
    """How the machines of one cloud are named. UTC is our own style; oneacct-export used its host's time zone."""

    endpoint: str
    zone: tzinfo = timezone.utc

    def uuid(self, id_: int, stime: int) -> str:
        """Return the VMUUID of a machine, in lower case: the repository compares without case."""
        moment = datetime.fromtimestamp(stime, self.zone)
        return f"{self.endpoint.rstrip('/')}/compute/{id_} {moment.isoformat(' ')}".lower()


def id_of(uuid: str) -> Tuple[int, int]:
    """Return the id and the STIME of the machine that has this VMUUID. Raises ValueError when it is none of ours."""
    match = _UUID.fullmatch(uuid)
    if match is None:
        raise ValueError(f"{uuid[:200]!r} is no VMUUID of an OpenNebula")
    return int(match.group(1)), int(datetime.fromisoformat(match.group(2)).timestamp())


def zone_of(name: Optional[str]) -> tzinfo:
    """Return the time zone of a name (``Europe/Prague``) or offset (``+01:00``); None: UTC.

    Raises ConfigurationError when the system does not know it.
    """
    if name is None:
        return timezone.utc
    match = _OFFSET.fullmatch(name)
    if match is not None and int(match.group(2)) < 24:
        offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
        return timezone(-offset if match.group(1) == "-" else offset)
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"uuid_zone: {name!r} is no time zone that this system knows",
            hint="write it as Europe/Prague or +01:00; the names come with the package tzdata",
        ) from error
