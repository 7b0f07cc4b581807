"""What a push says of itself, checked in the order in which Perun's own scripts check it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from fedcloud_agent.users.formats import fedcloud_export, generic_json, opennebula_egi, voms
from fedcloud_agent.users.population import Population
from fedcloud_agent.users.refusal import (
    DONE,
    NO_DATA,
    NO_VERSION,
    NOT_FOR_US,
    UNKNOWN_PLATFORM,
    UNKNOWN_SERVICE,
    WRONG_VERSION,
    PushError,
)


class _Format(NamedTuple):
    version: str
    file: Optional[str]
    reader: ModuleType


_FORMATS: Dict[str, _Format] = {
    "fedcloud_export": _Format("3.1.0", "fedcloud_export", fedcloud_export),
    "opennebula_egi": _Format("3.0.0", "opennebula", opennebula_egi),
    "voms": _Format("3.1.1", "voms", voms),
}
_GENERIC = _Format("3.0.0", None, generic_json)
_GENERIC_SERVICE = "generic_json_gen"
PLATFORMS = ("opennebula", "openstack", "stratuslab")
"""The words of CLOUD_PLATFORM that we know; which plugin serves the cloud is ours to say."""


@dataclass(frozen=True)
class Rules:
    """Which pushes are for us. ``denied`` services are told to be disabled, and that is no failure."""

    hosts: FrozenSet[str]
    facilities: FrozenSet[str]
    denied: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Delivery:
    """A push that is for us, not read yet. ``note`` is what its sender should hear although it is taken."""

    facility: str
    service: str
    version: str
    run: Optional[str]
    data: bytes
    format: _Format
    note: Optional[str] = None

    def population(self, as_of: int) -> Population:
        """Read the data file. Raises PayloadError."""
        found: Population = self.format.reader.read(self.data, self.facility, as_of)
        return found


def accept(members: Mapping[str, bytes], rules: Rules) -> Delivery:
    """Return what the archive's members deliver. Raises PushError with the exit code of the first check that fails."""
    host, facility = _host(_line(members, "HOSTNAME")), _line(members, "FACILITY")
    if not facility or (host not in rules.hosts and facility not in rules.facilities):
        raise PushError(
            NOT_FOR_US,
            f"neither the host {host or '(none)'!r} nor the facility {facility or '(none)'!r} is ours",
            hint="see users.hosts and users.facilities in agent.yaml",
        )
    service = _line(members, "SERVICE")
    if service and service in rules.denied:
        raise PushError(DONE, f"the service {service!r} is disabled here")
    found = _format(members, service)
    version, note = _version(members, found.version)
    if found.reader is fedcloud_export:
        platform = (_line(members, "CLOUD_PLATFORM") or "").lower()
        if platform not in PLATFORMS:
            raise PushError(UNKNOWN_PLATFORM, f"the cloud platform {platform or '(none)'!r} is not known")
    file = found.file or f"{service}.json"
    if file not in members:
        raise PushError(NO_DATA, f"the archive has no member {file!r}")
    return Delivery(facility, service or "", version, _line(members, "RUN_ID"), members[file], found, note)


def _format(members: Mapping[str, bytes], service: Optional[str]) -> _Format:
    generic = service is not None and (service == _GENERIC_SERVICE or service == _line(members, "GEN_LOOKUP"))
    found = _GENERIC if generic else _FORMATS.get(service or "")
    if found is None:
        raise PushError(
            UNKNOWN_SERVICE,
            f"the service {service!r} is not known" if service else "the archive does not say of which service it is",
            hint=f"known are {', '.join(sorted(_FORMATS))}, and any that generic_json_gen serves",
        )
    return found


def _version(members: Mapping[str, bytes], ours: str) -> Tuple[str, Optional[str]]:
    version = _line(members, "VERSION")
    if not version:
        raise PushError(NO_VERSION, "the archive does not say the version of its protocol")
    if version.split(".")[:-1] != ours.split(".")[:-1]:
        raise PushError(WRONG_VERSION, f"the protocol has version {version!r}; this release reads {ours}")
    return version, None if version == ours else f"the protocol has version {version}, and {ours} is known here"


def _line(members: Mapping[str, bytes], name: str) -> Optional[str]:
    """Return the first line of a member, without its end, or None where there is nothing."""
    text = members.get(name, b"")[:1024].decode("utf-8", "replace")
    return text.partition("\n")[0].strip() or None


def _host(told: Optional[str]) -> str:
    """Return the host of a destination: a name, or a URL where Perun pushes to one, or ``user@host:port``."""
    if told is None:
        return ""
    if "://" in told:
        try:
            return (urlsplit(told).hostname or "").lower()
        except ValueError:
            return ""
    return told.rpartition("@")[2].partition(":")[0].lower()
