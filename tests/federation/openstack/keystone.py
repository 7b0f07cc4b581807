"""The identity service: versions, tokens, projects and users, as keystone answers."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional
from urllib.parse import urlencode

from tests.federation.openstack.identity import Identity, Project, Token, User
from tests.federation.openstack.tokens import MalformedError, UnauthorizedError, catalog, login, token_document
from tests.federation.openstack.wire import (
    Request,
    Response,
    decode,
    keystone_answer,
    keystone_error,
    keystone_no_route,
    keystone_unauthorized,
)


class Keystone:
    """Answers below /identity."""

    def __init__(self, identity: Identity, base: str) -> None:
        self.identity = identity
        self.base = base
        self.root = base + "/identity"
        self.auth_url = self.root + "/v3"

    def answer(self, request: Request) -> Response:
        """Return the answer to a request whose path starts behind the prefix."""
        path = request.path.rstrip("/")
        if path == "":
            answer = keystone_answer(300, {"versions": {"values": [self._version()]}})
            answer.headers.append(("Location", self.auth_url + "/"))
            return answer
        if path == "/v3":
            return keystone_answer(200, {"version": self._version()})
        parts = path.split("/")[2:] if path.startswith("/v3/") else []
        if parts == ["auth", "tokens"]:
            return self._tokens(request)
        if len(parts) == 6 and parts[0] == "OS-FEDERATION" and parts[5] == "auth":
            return self._federated_login(request, parts[2], parts[4])
        token = self.identity.token(request.headers.get("X-Auth-Token"))
        if token is None:
            return keystone_unauthorized(self.auth_url)
        return self._known(request, parts, token) or keystone_no_route()

    def _known(self, request: Request, parts: List[str], token: Token) -> Optional[Response]:
        if request.method != "GET":
            return None
        if parts == ["auth", "projects"]:
            return self._list(request, "projects", map(self._project, self.identity.projects_of(token.user.id)))
        if parts == ["auth", "catalog"]:
            found = catalog(self.identity, token.project, self.base)
            return keystone_answer(200, {"catalog": found, "links": {"self": self.auth_url + "/auth/catalog"}})
        if parts == ["projects"]:
            return self._projects(request, token)
        if parts == ["users"]:
            return self._users(request, token)
        if len(parts) == 2 and parts[0] == "projects":
            return self._one_project(parts[1], token)
        if len(parts) == 2 and parts[0] == "users":
            return self._one_user(parts[1], token)
        if len(parts) == 3 and parts[0] == "users" and parts[2] == "projects":
            if not (token.is_system_reader or token.user.id == parts[1]):
                return _forbidden("list_user_projects")
            return self._list(request, "projects", map(self._project, self.identity.projects_of(parts[1])))
        return None

    def _version(self) -> Dict[str, Any]:
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": self.auth_url + "/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }

    def _tokens(self, request: Request) -> Response:
        base = None if request.first("nocatalog") is not None else self.base
        if request.method == "POST":
            try:
                token = login(self.identity, decode(request.body))
            except UnauthorizedError:
                return keystone_unauthorized(self.auth_url)
            except MalformedError as error:
                return keystone_error(400, str(error))
            return self._token(201, token, base)
        own = self.identity.token(request.headers.get("X-Auth-Token"))
        if own is None:
            return keystone_unauthorized(self.auth_url)
        subject = self.identity.token(request.headers.get("X-Subject-Token"))
        if subject is None:
            known = request.headers.get("X-Subject-Token") in self.identity.tokens
            return keystone_error(404, "Failed to validate token" if known else "Could not recognize Fernet token")
        if request.method == "DELETE":
            del self.identity.tokens[subject.id]
            return keystone_answer(204)
        return self._token(200, subject, base)

    def _token(self, status: int, token: Token, base: Optional[str]) -> Response:
        document = token_document(self.identity, token, base)
        return keystone_answer(status, document, [("X-Subject-Token", token.id)])

    def _federated_login(self, request: Request, idp: str, protocol: str) -> Response:
        scheme, _, bearer = (request.headers.get("Authorization") or "").partition(" ")
        access = self.identity.access_tokens.get(bearer)
        user = None if access is None else self.identity.users.get(access.user_id)
        known = access is not None and (access.idp, access.protocol) == (idp, protocol)
        if scheme.lower() != "bearer" or not known or user is None or not user.enabled:
            body = b"<html><head><title>401 Unauthorized</title></head><body><h1>Unauthorized</h1></body></html>\n"
            headers = [("Content-Type", "text/html; charset=iso-8859-1"), ("WWW-Authenticate", f'Bearer realm="{idp}"')]
            return Response(401, headers, body)
        return self._token(201, self.identity.issue((protocol,), user, federation=access), None)

    def _list(self, request: Request, name: str, rows: Iterable[Dict[str, Any]]) -> Response:
        address = self.root + request.path + ("?" + urlencode(request.query) if request.query else "")
        links = {"next": None, "self": address, "previous": None}
        return keystone_answer(200, {name: list(rows), "links": links})

    def _project(self, project: Project) -> Dict[str, Any]:
        return {
            **project.extra,
            "id": project.id,
            "name": project.name,
            "domain_id": project.domain_id,
            "description": project.description,
            "enabled": project.enabled,
            "parent_id": project.domain_id,
            "is_domain": False,
            "tags": list(project.tags),
            "options": {},
            "links": {"self": f"{self.auth_url}/projects/{project.id}"},
        }

    def _user(self, user: User) -> Dict[str, Any]:
        document = {
            **user.extra,
            "id": user.id,
            "name": user.name,
            "domain_id": user.domain_id,
            "enabled": user.enabled,
            "password_expires_at": None,
            "options": {},
            "links": {"self": f"{self.auth_url}/users/{user.id}"},
        }
        if user.default_project_id is not None:
            document["default_project_id"] = user.default_project_id
        return document

    def _projects(self, request: Request, token: Token) -> Response:
        if not token.is_system_reader:
            return _forbidden("list_projects")
        found = list(self.identity.projects.values())
        for name, value in request.query:
            if name in ("name", "domain_id"):
                found = [project for project in found if getattr(project, name) == value]
            elif name == "parent_id":
                found = [project for project in found if project.domain_id == value]
            elif name == "enabled":
                found = [project for project in found if project.enabled == _truth(value)]
            elif name == "tags":
                found = [project for project in found if set(value.split(",")) <= set(project.tags)]
            elif name == "tags-any":
                found = [project for project in found if set(value.split(",")) & set(project.tags)]
        return self._list(request, "projects", map(self._project, found))

    def _users(self, request: Request, token: Token) -> Response:
        if not token.is_system_reader:
            return _forbidden("list_users")
        found = list(self.identity.users.values())
        for name, value in request.query:
            if name in ("name", "domain_id"):
                found = [user for user in found if getattr(user, name) == value]
            elif name == "enabled":
                found = [user for user in found if user.enabled == _truth(value)]
            elif name in ("idp_id", "protocol_id", "unique_id"):
                place = ("idp_id", "protocol_id", "unique_id").index(name)
                found = [user for user in found if any(entry[place] == value for entry in user.federated)]
        return self._list(request, "users", map(self._user, found))

    def _one_project(self, key: str, token: Token) -> Response:
        own = token.project is not None and token.project.id == key
        if not (token.is_system_reader or own):
            return _forbidden("get_project")
        project = self.identity.projects.get(key)
        if project is None:
            return keystone_error(404, f"Could not find project: {key}.")
        return keystone_answer(200, {"project": self._project(project)})

    def _one_user(self, key: str, token: Token) -> Response:
        if not (token.is_system_reader or token.user.id == key):
            return _forbidden("get_user")
        user = self.identity.users.get(key)
        if user is None:
            return keystone_error(404, f"Could not find user: {key}.")
        document = self._user(user)
        if user.federated:
            # Only the single user carries this; the list leaves it out.
            document["federated"] = _federated(user)
        return keystone_answer(200, {"user": document})


def _federated(user: User) -> List[Dict[str, Any]]:
    providers: Dict[str, List[Dict[str, str]]] = {}
    for idp, protocol, unique_id in user.federated:
        providers.setdefault(idp, []).append({"protocol_id": protocol, "unique_id": unique_id})
    return [{"idp_id": idp, "protocols": protocols} for idp, protocols in providers.items()]


def _forbidden(action: str) -> Response:
    return keystone_error(403, f"You are not authorized to perform the requested action: identity:{action}.")


def _truth(value: str) -> bool:
    return value.lower() not in ("0", "false", "no")
