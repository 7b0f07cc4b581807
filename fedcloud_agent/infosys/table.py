"""The site in a few lines for people."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from fedcloud_agent.infosys.entry import Entry, parent_of
from fedcloud_agent.infosys.glue20_compute import sees
from fedcloud_agent.infosys.model import SiteEndpoint, SiteOffer
from fedcloud_agent.infosys.words import moment, text

ENDPOINTS = ("service", "interface", "version", "URL", "health", "serving", "VOs")
SHARES = ("service", "VO", "project", "instance types", "images", "machines", "most machines")

READ = ("domain", "interface", "version", "URL", "health", "serving", "VOs")

Row = Tuple[str, ...]


def _number(value: Optional[int]) -> str:
    return "not told" if value is None else "no limit" if value < 0 else str(value)


def endpoints(site: SiteOffer) -> List[Row]:
    """Return a row of ENDPOINTS for each door of the site."""
    compute = [_row(service.name, one) for service in site.compute for one in service.endpoints]
    return compute + [_row(service.name, one) for service in site.storage for one in service.endpoints]


def _row(service: str, one: SiteEndpoint) -> Row:
    serving = one.state.serving
    if one.downtime is not None:
        serving += f" (downtime {moment(one.downtime.start)} to {moment(one.downtime.end)})"
    words = (service, one.interface, one.version, one.url, one.state.health, serving, ", ".join(one.vos) or "none")
    return tuple(text(word) or "" for word in words)


def shares(site: SiteOffer) -> List[Row]:
    """Return a row of SHARES for each project of each cloud."""
    rows: List[Row] = []
    for service in site.compute:
        for share in service.shares:
            kinds = sum(sees(share.project, one.shares) for one in service.instance_types)
            images = sum(sees(share.project, one.shares) for one in service.images)
            running = _number(share.machines.total if share.machines else None)
            project = text(share.project_name) or share.project
            limit = _number(share.max_machines)
            words = (service.name, share.vo, project, str(kinds), str(images), running, limit)
            rows.append(tuple(text(word) or "" for word in words))
    return rows


class Read:
    """A tree that is read entry by entry, of any make: what is kept of it is a row for each endpoint."""

    def __init__(self) -> None:
        self._endpoints: Dict[str, Row] = {}
        self._vos: Dict[str, List[str]] = {}
        self._counts: Dict[str, int] = {}

    def show(self, entry: Entry) -> None:
        """Take one entry in."""
        kind = entry.dn.partition("=")[0]
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if "GLUE2Endpoint" in entry.classes:
            names = ("InterfaceName", "InterfaceVersion", "URL", "HealthState", "ServingState")
            told = tuple(text(entry.first(f"GLUE2Endpoint{name}")) or "" for name in names)
            self._endpoints[entry.dn] = (_domain_of(entry.dn), *told)
        elif "GLUE2AccessPolicy" in entry.classes:
            vos = entry.attributes.get("GLUE2PolicyUserDomainForeignKey", ())
            rules = entry.attributes.get("GLUE2PolicyRule", ())
            everyone = ["everyone"] if "ALL" in rules else []
            self._vos.setdefault(parent_of(entry.dn), []).extend([*(text(one) or "" for one in vos), *everyone])

    def rows(self) -> List[Row]:
        """Return a row of READ for each endpoint."""
        return sorted((*row, ", ".join(sorted(self._vos.get(dn, [])))) for dn, row in self._endpoints.items())

    def summary(self) -> str:
        """Say how many entries there are, by kind."""
        words = (
            ("services", "GLUE2ServiceID"),
            ("endpoints", "GLUE2EndpointID"),
            ("shares", "GLUE2ShareID"),
            ("instance types", "GLUE2ResourceID"),
            ("images", "GLUE2ApplicationEnvironmentID"),
        )
        kinds = ", ".join(f"{self._counts[kind]} {word}" for word, kind in words if kind in self._counts)
        return f"{sum(self._counts.values())} entries" + (f": {kinds}" if kinds else "")


def _domain_of(dn: str) -> str:
    for rdn in dn.split(","):
        name, _, value = rdn.partition("=")
        if name.lower() == "glue2domainid":
            return value
    return ""
