"""The site in a few lines for people."""

from __future__ import annotations

from typing import List, Optional, Tuple

from fedcloud_agent.infosys.glue20_compute import sees
from fedcloud_agent.infosys.model import SiteEndpoint, SiteOffer
from fedcloud_agent.infosys.words import moment, text

ENDPOINTS = ("service", "interface", "version", "URL", "health", "serving", "VOs")
SHARES = ("service", "VO", "project", "instance types", "images", "machines", "most machines")

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
