"""GET /servers: which parameters nova takes from whom, and the page that follows from them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from tests.federation.openstack.acts import STATUSES
from tests.federation.openstack.fleet import SORT_KEYS, Fleet, Order, Server
from tests.federation.openstack.identity import Token
from tests.federation.openstack.wire import Request

MAXIMUM = 1000
_ADMIN_FILTERS = {
    "user_id": "user_id",
    "host": "host",
    "uuid": "id",
    "vm_state": "vm_state",
    "task_state": "task_state",
}
_KNOWN = frozenset(
    "limit marker sort_key sort_dir all_tenants tenant_id project_id changes-since changes-before deleted status name "
    "image flavor reservation_id ip ip6 user_id host uuid vm_state task_state power_state hostname key_name locked "
    "tags tags-any not-tags not-tags-any availability_zone created_at updated_at launched_at terminated_at "
    "soft_deleted progress config_drive access_ip_v4 access_ip_v6 description node image_ref launch_index "
    "auto_disk_config kernel_id ramdisk_id root_device_name locked_by display_description display_name".split()
)
Keep = Callable[[Server], bool]


class RefusedError(Exception):
    """Nova does not answer this query: the status and the message that it gives."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Query(NamedTuple):
    """A query that nova understood. ``partial`` allows rows of a cell that is down; ``nothing`` matches no row."""

    keep: Tuple[Keep, ...]
    order: Order
    limit: int
    marker: Optional[str]
    partial: bool
    nothing: bool = False


class Page(NamedTuple):
    """Rows of a page, in order; ``unreachable`` are those of which only the API's own database knows."""

    rows: List[Server]
    unreachable: List[Server]
    full: bool


def understand(request: Request, token: Token, version: int, detail: bool) -> Query:
    """Return the query of a request. Raises RefusedError."""
    _validate(request, version)
    admin = token.is_admin
    keep: List[Keep] = []
    statuses = {status.upper() for status in request.every("status")}
    if statuses and not statuses & STATUSES:
        if version >= 38:
            raise RefusedError(400, "Invalid status value")
        return Query((), (), 0, None, False, nothing=True)
    since = instant(request, "changes-since")
    before = instant(request, "changes-before") if version >= 66 else None
    if since is not None and before is not None and since > before:
        raise RefusedError(400, "The value of changes-since must be less than or equal to changes-before.")
    deleted: Optional[bool] = None if since is not None or before is not None else False
    if admin and request.first("deleted") is not None:
        deleted = str(request.first("deleted")).lower() in ("1", "t", "true", "on", "y", "yes")
    if statuses == {"DELETED"}:
        if not admin:
            raise RefusedError(403, "Only administrators may list deleted instances")
        deleted = True
    keep += _scope(request, token, detail)
    if deleted is True:
        keep.append(lambda server: server.vm_state in ("deleted", "soft-delete"))
    elif deleted is False:
        keep.append(lambda server: server.vm_state not in ("deleted", "soft-delete"))
    if since is not None:
        keep.append(lambda server, since=since: server.updated >= since)  # type: ignore[misc]
    if before is not None:
        keep.append(lambda server, before=before: server.updated <= before)  # type: ignore[misc]
    if statuses:
        keep.append(lambda server: server.status in statuses)
    others = _filters(request, admin)
    plain = {name for name, _ in request.query} <= {"all_tenants", "tenant_id", "project_id", "deleted"}
    partial = plain and deleted is False and not others
    return Query(tuple(keep + others), _order(request), limit(request), request.first("marker"), partial)


def page(fleet: Fleet, query: Query, down: FrozenSet[str]) -> Page:
    """Return the page of a query. Raises RefusedError for a marker that is gone."""
    if query.nothing:
        return Page([], [], False)
    ordered, places = fleet.ordered(query.order)
    place = 0
    if query.marker is not None:
        if query.marker not in places:
            raise RefusedError(400, f"marker [{query.marker}] not found")
        if fleet.servers[query.marker].cell in down:
            raise RefusedError(500, "nova.exception.MarkerNotFound")
        place = places[query.marker] + 1
    rows: List[Server] = []
    keep, most = query.keep, query.limit
    for server in ordered[place:] if place else ordered:
        if server.cell not in down and all(test(server) for test in keep):
            rows.append(server)
            if len(rows) == most:
                break
    unreachable: List[Server] = []
    if down and query.partial:
        unreachable = [s for s in ordered if s.cell in down and all(test(s) for test in keep)][: most - len(rows)]
    return Page(rows, unreachable, len(rows) + len(unreachable) == most)


def check_limit(request: Request) -> None:
    """Raise RefusedError when the limit of a request is no number."""
    for value in request.every("limit"):
        if not re.fullmatch("[0-9]*", value):
            raise RefusedError(400, _invalid("limit", value, f"'{value}' does not match '^[0-9]*$'"))


def _validate(request: Request, version: int) -> None:
    check_limit(request)
    for name, value in request.query:
        if name == "sort_key" and value not in SORT_KEYS:
            raise RefusedError(400, _invalid(name, value, f"'{value}' is not one of {sorted(SORT_KEYS)}"))
        if name == "sort_dir" and value not in ("asc", "desc"):
            raise RefusedError(400, _invalid(name, value, f"'{value}' is not one of ['asc', 'desc']"))
        if version >= 75 and name not in _KNOWN | ({"changes-before"} if version >= 66 else set()):
            if name.startswith("_"):
                continue
            raise RefusedError(400, f"'{name}' does not match any of the regexes: '^_'")
    if len(request.every("sort_dir")) > max(1, len(request.every("sort_key"))):
        raise RefusedError(400, "Sort direction size exceeds sort key size")


def _invalid(name: str, value: str, why: str) -> str:
    return f"Invalid input for query parameters {name}. Value: {value}. {why}"


def instant(request: Request, name: str) -> Optional[float]:
    """Return the instant that a parameter says. Raises RefusedError when it says none."""
    text = request.first(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError:
        raise RefusedError(400, _invalid(name, text, f"'{text}' is not a 'date-time'")) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _scope(request: Request, token: Token, detail: bool) -> List[Keep]:
    """Return whose servers are meant: everybody's for an administrator who asks so, else those of the token."""
    wanted = request.first("all_tenants")
    everybody = wanted is not None and wanted.lower() in ("", "1", "t", "true", "on", "y", "yes")
    if wanted is not None and not everybody and wanted.lower() not in ("0", "f", "false", "off", "n", "no"):
        raise RefusedError(400, f"Invalid value '{wanted}' for all_tenants")
    if everybody and not token.is_admin:
        where = "detail" if detail else "index"
        raise RefusedError(403, f"Policy doesn't allow os_compute_api:servers:{where}:get_all_tenants to be performed.")
    if everybody:
        project = request.first("project_id") or request.first("tenant_id")
        return [] if project is None else [lambda server: server.project_id == project]
    if token.project is None:
        user = token.user.id
        return [lambda server: server.user_id == user]
    own = token.project.id
    return [lambda server: server.project_id == own]


def _filters(request: Request, admin: bool) -> List[Keep]:
    """Return the remaining filters; those that the caller may not use are ignored, as nova does."""
    tests: List[Keep] = []
    name = request.first("name")
    if name is not None:
        try:
            pattern = re.compile(name)
        except re.error:
            raise RefusedError(400, _invalid("name", name, f"'{name}' is not a 'regex'")) from None
        tests.append(lambda server: pattern.search(server.name) is not None)
    image, flavor = request.first("image"), request.first("flavor")
    if image is not None:
        tests.append(lambda server: server.image_id == image)
    if flavor is not None:
        tests.append(lambda server: server.flavor.id == flavor)
    for key, attribute in _ADMIN_FILTERS.items():
        value = request.first(key)
        if admin and value is not None:
            tests.append(lambda server, a=attribute, v=value: getattr(server, a) == v)  # type: ignore[misc]
    return tests


def _order(request: Request) -> Order:
    keys = request.every("sort_key") or ["created_at"]
    directions = request.every("sort_dir") or ["desc"]
    directions += [directions[0]] * (len(keys) - len(directions))
    unique: Dict[str, bool] = {}
    for key, direction in zip(keys, directions):
        unique.setdefault(key, direction == "desc")
    return tuple(unique.items())


def limit(request: Request) -> int:
    """Return how many rows a page holds at most: what is asked for, but never more than nova's maximum."""
    given = int(request.first("limit") or 0)
    return min(given, MAXIMUM) if given else MAXIMUM
