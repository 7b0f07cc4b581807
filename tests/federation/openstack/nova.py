"""The compute service: versions, servers and their actions, flavors, limits and hosts, as nova answers."""

from __future__ import annotations

import re
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional
from urllib.parse import urlencode

from tests.federation.openstack import capacity, listing, usage
from tests.federation.openstack.clock import microseconds_text
from tests.federation.openstack.fleet import Event, Fleet
from tests.federation.openstack.identity import Identity, Token
from tests.federation.openstack.inventory import Capacity, Flavor
from tests.federation.openstack.rows import (
    View,
    flavor_document,
    partial_document,
    rendered,
    server_document,
)
from tests.federation.openstack.wire import (
    Headers,
    Request,
    Response,
    encode,
    nova_answer,
    nova_crash,
    nova_fault,
    nova_plain_error,
    nova_unauthorized,
)

LOWEST, HIGHEST = 1, 93
_CELL_DOWN = "nova.exception.NovaException"


class Rows(NamedTuple):
    """A body that is rendered already, and how many servers are in it."""

    body: bytes
    servers: int


class Nova:
    """Answers below /compute. ``down`` are the cells that do not answer, ``skip_down`` is nova's own setting."""

    def __init__(
        self, identity: Identity, fleet: Fleet, flavors: Dict[str, Flavor], hosts: Capacity, base: str
    ) -> None:
        self.identity = identity
        self.fleet = fleet
        self.flavors = flavors
        self.capacity = hosts
        self.root = base + "/compute"
        self.auth_url = base + "/identity/v3"
        self.highest = HIGHEST
        self.down: FrozenSet[str] = frozenset()
        self.skip_down = True

    def answer(self, request: Request) -> Response:
        """Return the answer to a request whose path starts behind the prefix."""
        path = request.path.rstrip("/")
        if path == "":
            versions = {"versions": [self._legacy(), self._version()]}
            headers: Headers = [("Content-Type", "application/json")]
            return Response(200, headers, encode(versions))
        if path == "/v2.1":
            version = self._version()
            version["links"].append({"rel": "describedby", "type": "text/html", "href": "https://docs.example.org/"})
            kind = "application/vnd.openstack.compute+json;version=2.1"
            version["media-types"] = [{"base": "application/json", "type": kind}]
            return nova_answer("2.1", {"version": version})
        token = self.identity.token(request.headers.get("X-Auth-Token"))
        if token is None:
            return nova_unauthorized(self.auth_url)
        parts = path.split("/")[2:] if path.startswith("/v2.1/") else []
        if parts and token.project is not None and parts[0] == token.project.id:
            parts = parts[1:]
        asked = _asked_version(request)
        number = self._number(asked)
        if number is None:
            return nova_fault(
                None, 400, f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
            )
        version_text = f"2.{number}"
        if not LOWEST <= number <= self.highest or not (asked.startswith("2.") or asked == "latest"):
            message = f"Version {asked} is not supported by the API. Minimum is 2.1 and maximum is 2.{self.highest}."
            return nova_fault(asked, 406, message)
        try:
            document: Any = self._route(request, parts, token, number)
        except listing.RefusedError as refusal:
            if refusal.status == 500:
                return nova_crash(version_text, refusal.message)
            return nova_fault(version_text, refusal.status, refusal.message)
        if document is None:
            return nova_plain_error(404, "The resource could not be found.")
        answer = nova_answer(version_text, document.body if isinstance(document, Rows) else document)
        answer.rows = document.servers if isinstance(document, Rows) else 0
        return answer

    def _route(self, request: Request, parts: List[str], token: Token, version: int) -> Any:
        if request.method != "GET" or not parts:
            return None
        kind, rest = parts[0], parts[1:]
        if kind == "servers" and rest in ([], ["detail"]):
            return self._servers(request, token, version, detail=bool(rest))
        if kind == "servers" and len(rest) == 1:
            return self._server(rest[0], token, version)
        if kind == "servers" and len(rest) == 2 and rest[1] == "os-instance-actions":
            return self._actions(request, rest[0], token, version)
        if kind == "os-simple-tenant-usage" and len(rest) <= 1:
            return self._usage(request, rest[0] if rest else None, token, version)
        if kind == "flavors" and rest in ([], ["detail"]):
            return self._flavors(request, token, version, detail=bool(rest))
        if kind == "flavors" and len(rest) == 1:
            return {"flavor": flavor_document(self._flavor(rest[0], token), version, self.root)}
        if kind == "flavors" and len(rest) == 2 and rest[1] == "os-extra_specs":
            return {"extra_specs": self._flavor(rest[0], token).extra_specs}
        return self._room(request, kind, rest, token, version)

    def _room(self, request: Request, kind: str, rest: List[str], token: Token, version: int) -> Any:
        """Answer what is about how much there is, of hosts and for projects."""
        if kind == "limits" and not rest:
            return capacity.limits(self.capacity, self.fleet, token, version)
        if kind == "os-quota-sets" and len(rest) in (1, 2) and rest[1:] in ([], ["detail"]):
            return capacity.quota_set(self.capacity, self.fleet, token, rest[0], detail=len(rest) == 2)
        if kind == "os-hypervisors" and rest == ["statistics"]:
            return capacity.statistics(self.capacity, self.fleet, token, version)
        if kind == "os-hypervisors" and rest == ["detail"]:
            rows, last = capacity.hypervisors(self.capacity, self.fleet, request, token, version)
            document: Dict[str, Any] = {"hypervisors": rows}
            if last is not None:
                document["hypervisors_links"] = self._next(request, last)
            return document
        return None

    def _legacy(self) -> Dict[str, Any]:
        return {
            "id": "v2.0",
            "status": "SUPPORTED",
            "version": "",
            "min_version": "",
            "updated": "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": self.root + "/v2/"}],
        }

    def _version(self) -> Dict[str, Any]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": f"2.{self.highest}",
            "min_version": f"2.{LOWEST}",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": self.root + "/v2.1/"}],
        }

    def _number(self, asked: str) -> Optional[int]:
        """Return the second number of a microversion, None when the text is none."""
        if asked == "latest":
            return self.highest
        match = re.fullmatch(r"[1-9]\d*\.([1-9]\d*|0)", asked)
        return int(match.group(1)) if match else None

    def _servers(self, request: Request, token: Token, version: int, detail: bool) -> Any:
        query = listing.understand(request, token, version, detail)
        if self.down and not self.skip_down and not (query.partial and version >= 69):
            raise listing.RefusedError(500, _CELL_DOWN)
        if version < 69:
            query = query._replace(partial=False)
        page = listing.page(self.fleet, query, self.down)
        view = View(version, token.is_admin, detail)
        key = view.key()
        rows = [rendered(server, view, key, self.root) for server in page.rows]
        rows += [encode(partial_document(server, view, self.root)) for server in page.unreachable]
        body = b'{"servers": [' + b", ".join(rows) + b"]"
        if page.full:
            last = (page.rows + page.unreachable)[-1].id
            body += b', "servers_links": ' + encode(self._next(request, last))
        return Rows(body + b"}", len(rows))

    def _next(self, request: Request, last: str) -> Any:
        pairs = sorted((pair for pair in request.query if pair[0] != "marker"), key=lambda pair: pair[0])
        address = f"{self.root}{request.path}?{urlencode([*pairs, ('marker', last)])}"
        return [{"rel": "next", "href": address}]

    def _server(self, key: str, token: Token, version: int) -> Any:
        server = self.fleet.servers.get(key)
        own = server is not None and token.project is not None and server.project_id == token.project.id
        if server is None or server.deleted or not (own or token.is_admin):
            raise listing.RefusedError(404, f"Instance {key} could not be found.")
        view = View(version, token.is_admin, single=True)
        if server.cell in self.down:
            if version < 69:
                raise listing.RefusedError(500, _CELL_DOWN)
            return {"server": partial_document(server, view, self.root)}
        return Rows(encode({"server": server_document(server, view, self.root)}), 1)

    def _actions(self, request: Request, key: str, token: Token, version: int) -> Any:
        server = self.fleet.servers.get(key)
        own = server is not None and token.project is not None and server.project_id == token.project.id
        if server is None or (server.deleted and version < 21) or not (own or token.is_admin):
            raise listing.RefusedError(404, f"Instance {key} could not be found.")
        if server.cell in self.down:
            raise listing.RefusedError(500, _CELL_DOWN)
        events = list(reversed(server.events))
        limit = len(events)
        if version >= 58:
            listing.check_limit(request)
            since = listing.instant(request, "changes-since")
            if since is not None:
                events = [event for event in events if event.finished >= since]
            marker = request.first("marker")
            if marker is not None:
                places = [place for place, event in enumerate(events) if event.request_id == marker]
                if not places:
                    raise listing.RefusedError(400, f"marker [{marker}] not found")
                events = events[places[0] + 1 :]
            limit = listing.limit(request)
        document: Dict[str, Any] = {
            "instanceActions": [_event_document(server.id, event, version) for event in events[:limit]]
        }
        if version >= 58 and len(events) > limit:
            document["links"] = self._next(request, events[limit - 1].request_id)
        return document

    def _usage(self, request: Request, project: Optional[str], token: Token, version: int) -> Any:
        found = usage.find(self.fleet, request, token, version, project)
        if project is None:
            document: Dict[str, Any] = {"tenant_usages": found.projects}
        else:
            document = {"tenant_usage": found.projects[0] if found.projects else {}}
        if found.last is not None:
            document[f"tenant_usage{'s' if project is None else ''}_links"] = self._next(request, found.last)
        return document

    def _flavor(self, key: str, token: Token) -> Flavor:
        flavor = self.flavors.get(key)
        if flavor is None or not _may_use(flavor, token):
            raise listing.RefusedError(404, f"Flavor {key} could not be found.")
        return flavor

    def _flavors(self, request: Request, token: Token, version: int, detail: bool) -> Any:
        listing.check_limit(request)
        found = sorted((f for f in self.flavors.values() if _may_use(f, token)), key=lambda flavor: flavor.id)
        public = request.first("is_public") or "true"
        if token.is_admin and public.lower() != "none":
            wanted = public.lower() in ("1", "t", "true", "yes")
            # with the public ones an administrator too is shown those of the project that the token is for
            found = [f for f in found if f.is_public == wanted or (wanted and _is_own(f, token))]
        marker = request.first("marker")
        if marker is not None:
            places = [place for place, flavor in enumerate(found) if flavor.id == marker]
            if not places:
                raise listing.RefusedError(400, f"marker [{marker}] not found")
            found = found[places[0] + 1 :]
        limit = listing.limit(request)
        rows = [flavor_document(flavor, version, self.root, detail) for flavor in found[:limit]]
        document: Dict[str, Any] = {"flavors": rows}
        if len(rows) == limit:
            document["flavors_links"] = self._next(request, rows[-1]["id"])
        return document


def _asked_version(request: Request) -> str:
    for part in (request.headers.get("OpenStack-API-Version") or "").split(","):
        service, _, version = part.strip().partition(" ")
        if service == "compute":
            return version.strip()
    return request.headers.get("X-OpenStack-Nova-API-Version") or "2.1"


def _may_use(flavor: Flavor, token: Token) -> bool:
    return token.is_admin or flavor.is_public or _is_own(flavor, token)


def _is_own(flavor: Flavor, token: Token) -> bool:
    return token.project is not None and token.project.id in flavor.access


def _event_document(server_id: str, event: Event, version: int) -> Dict[str, Any]:
    document = {
        "action": event.action,
        "instance_uuid": server_id,
        "request_id": event.request_id,
        "user_id": event.user_id,
        "project_id": event.project_id,
        "start_time": microseconds_text(event.started),
        "message": None,
    }
    if version >= 58:
        document["updated_at"] = microseconds_text(event.finished)
    return document
