"""GET /os-simple-tenant-usage: what projects used within a period, as nova sums it up from the rows it still has."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import groupby
from typing import Any, Dict, List, NamedTuple, Optional

from tests.federation.openstack import listing
from tests.federation.openstack.clock import microseconds_text
from tests.federation.openstack.fleet import Fleet, Server
from tests.federation.openstack.identity import Token
from tests.federation.openstack.wire import Request

_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_FOUR_WEEKS = 28 * 86400
PAGED_SINCE = 40
"""From this microversion on there are pages; before, what lies beyond the first is cut off without a word."""


class Period(NamedTuple):
    """From when to when; never beyond the present."""

    start: float
    stop: float
    now: float


class Usage(NamedTuple):
    """What was found: a document for each project, and the last server of a full page."""

    projects: List[Dict[str, Any]]
    last: Optional[str]


def find(fleet: Fleet, request: Request, token: Token, version: int, project: Optional[str]) -> Usage:
    """Return the usage of one project in detail, or of all (None). Raises RefusedError."""
    own = token.project is not None and token.project.id == project
    if not (token.is_admin or own):
        rule = "list" if project is None else "show"
        raise listing.RefusedError(
            403, f"Policy doesn't allow os_compute_api:os-simple-tenant-usage:{rule} to be performed."
        )
    listing.check_limit(request)
    now = float(fleet.clock.now())
    start, stop = _instant(request, "start"), _instant(request, "end")
    period = Period(now - _FOUR_WEEKS if start is None else start, now if stop is None else min(stop, now), now)
    if period.start >= period.stop:
        raise listing.RefusedError(400, "Invalid start time. The start time cannot occur after the end time.")
    rows = [s for s in fleet.servers.values() if project in (None, s.project_id) and _counts(s, period)]
    rows.sort(key=lambda server: (server.project_id, server.id))
    paged = version >= PAGED_SINCE
    marker = request.first("marker") if paged else None
    if marker is not None:
        places = [place for place, server in enumerate(rows) if server.id == marker]
        if not places:
            raise listing.RefusedError(400, f"marker [{marker}] not found")
        rows = rows[places[0] + 1 :]
    limit = listing.limit(request) if paged else listing.MAXIMUM
    rows = rows[:limit]
    detailed = project is not None or request.first("detailed") == "1"
    groups = groupby(rows, key=lambda server: server.project_id)
    found = [_project(key, list(servers), period, detailed) for key, servers in groups]
    return Usage(found, rows[-1].id if paged and len(rows) == limit else None)


def _instant(request: Request, name: str) -> Optional[float]:
    text = request.first(name)
    if text is None:
        return None
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
    raise listing.RefusedError(400, "Invalid datetime string: Datetime is in invalid format")


def _counts(server: Server, period: Period) -> bool:
    ended_before = server.terminated is not None and server.terminated <= period.start
    return server.launched is not None and server.launched < period.stop and not ended_before


def _project(key: str, servers: List[Server], period: Period, detailed: bool) -> Dict[str, Any]:
    rows = [_row(server, period) for server in servers]
    document: Dict[str, Any] = {"tenant_id": key}
    if detailed:
        document["server_usages"] = rows
    for size in ("local_gb", "vcpus", "memory_mb"):
        document[f"total_{size}_usage"] = float(sum(row[size] * row["hours"] for row in rows))
    document["total_hours"] = float(sum(row["hours"] for row in rows))
    document["start"] = _text(period.start)
    document["stop"] = _text(period.stop)
    return document


def _row(server: Server, period: Period) -> Dict[str, Any]:
    launched, ended = server.launched, server.terminated
    assert launched is not None
    stop = period.stop if ended is None else min(ended, period.stop)
    return {
        "hours": max(0.0, stop - max(launched, period.start)) / 3600,
        "flavor": server.flavor.name,
        "instance_id": server.id,
        "name": server.name,
        "tenant_id": server.project_id,
        "memory_mb": server.flavor.ram,
        "local_gb": server.flavor.disk + server.flavor.ephemeral,
        "vcpus": server.flavor.vcpus,
        "started_at": microseconds_text(launched),
        "ended_at": None if ended is None else microseconds_text(ended),
        "state": server.vm_state if ended is None else "terminated",
        "uptime": int((period.now if ended is None else ended) - launched),
    }


def _text(instant: float) -> str:
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
