"""How much a project may use, and uses: its limits as it is told them, or its quota as administrators see it. Pure."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

from fedcloud_agent.clouds.offer import UNLIMITED, Quota
from fedcloud_agent.errors import RemoteDataError

_LIMITS = (
    ("instances", "maxTotalInstances", "totalInstancesUsed"),
    ("cores", "maxTotalCores", "totalCoresUsed"),
    ("ram", "maxTotalRAMSize", "totalRAMUsed"),
)


def limits(body: Any, place: str) -> Tuple[Quota, ...]:
    """Return what ``/limits`` says. Raises RemoteDataError, naming ``place``, when it says nothing of the kind."""
    try:
        absolute = body["limits"]["absolute"]
        return tuple(Quota(name, _limit(absolute[most]), _used(absolute[used])) for name, most, used in _LIMITS)
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteDataError(f"{place} answered no limits ({error}): {body!r:.200}") from error


def quota_set(body: Any, place: str) -> Tuple[Quota, ...]:
    """Return what ``/os-quota-sets/ID/detail`` says. Raises RemoteDataError, naming ``place``, as :func:`limits`."""
    try:
        found = body["quota_set"]
        return tuple(Quota(name, _limit(found[name]["limit"]), _used(found[name]["in_use"])) for name, *_ in _LIMITS)
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteDataError(f"{place} answered no quota ({error}): {body!r:.200}") from error


def limit_of(quotas: Sequence[Quota], name: str) -> Optional[int]:
    """Return a limit; None when there is none, or it was not told."""
    found = next((quota.limit for quota in quotas if quota.name == name), None)
    return None if found == UNLIMITED else found


def used_of(quotas: Sequence[Quota], name: str) -> Optional[int]:
    """Return how much of something is in use; None when that was not told."""
    return next((quota.used for quota in quotas if quota.name == name), None)


def _limit(value: object) -> int:
    if type(value) is not int or value < UNLIMITED:
        raise ValueError(f"{value!r:.40} is no limit")
    return value


def _used(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r:.40} is not in use")
    return value
