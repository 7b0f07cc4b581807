"""How keystone turns a login into a token, and how it writes the token down."""

from __future__ import annotations

import hashlib
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from tests.federation.openstack.identity import SYSTEM, ApplicationCredential, Identity, Project, Token, User

REGION = "RegionOne"


class UnauthorizedError(Exception):
    """The login is wrong; keystone does not say why."""


class MalformedError(Exception):
    """The login is not understood; the text says what is missing."""


def catalog(identity: Identity, project: Optional[Project], base: str) -> List[Dict[str, Any]]:
    """Return the catalogue that a token for ``project`` is told; the site's services stand below ``base``."""
    entries = []
    for kind, (name, address) in identity.services.items():
        if project is not None:
            address = address.replace("%(project_id)s", project.id)
        elif "%(project_id)s" in address:
            continue
        endpoints = [
            {
                "id": _stable_id(f"{kind} {interface}"),
                "interface": interface,
                "region_id": REGION,
                "url": base + address if address.startswith("/") else address,
                "region": REGION,
            }
            for interface in ("public", "internal", "admin")
        ]
        entries.append({"endpoints": endpoints, "id": _stable_id(kind), "type": kind, "name": name})
    return entries


def _stable_id(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def login(identity: Identity, body: Any) -> Token:
    """Return a new token for the body of a login. Raises UnauthorizedError and MalformedError."""
    auth = body.get("auth") if isinstance(body, Mapping) else None
    if not isinstance(auth, Mapping) or not isinstance(auth.get("identity"), Mapping):
        raise MalformedError("'identity' is a required property")
    methods = auth["identity"].get("methods")
    if not isinstance(methods, list) or not methods:
        raise MalformedError("'methods' is a required property")
    scope = auth.get("scope")
    method = methods[0]
    if method == "password":
        user = _by_password(identity, auth["identity"].get("password") or {})
        return _scoped(identity, ("password",), user, scope, None)
    if method == "application_credential":
        if scope is not None:
            raise UnauthorizedError
        credential = _by_credential(identity, auth["identity"].get("application_credential") or {})
        user = identity.users[credential.user_id]
        project = identity.projects.get(credential.project_id)
        held = identity.roles_of(user.id, credential.project_id)
        roles = tuple(role for role in credential.roles if role in held)
        if project is None or not project.enabled or not roles:
            raise UnauthorizedError
        return identity.issue(("application_credential",), user, project, False, roles, credential)
    if method == "token":
        old = identity.token((auth["identity"].get("token") or {}).get("id"))
        if old is None or old.credential is not None:
            raise UnauthorizedError
        return _scoped(identity, ("token", *(m for m in old.methods if m != "token")), old.user, scope, old)
    raise UnauthorizedError


def _by_password(identity: Identity, given: Mapping[str, Any]) -> User:
    wanted = given.get("user") or {}
    user = _find_user(identity, wanted)
    if user is None or not user.enabled or user.password is None or user.password != wanted.get("password"):
        raise UnauthorizedError
    return user


def _find_user(identity: Identity, wanted: Mapping[str, Any]) -> Optional[User]:
    if "id" in wanted:
        return identity.users.get(wanted["id"])
    domain = _domain(wanted)
    return next((u for u in identity.users.values() if (u.name, u.domain_id) == (wanted.get("name"), domain)), None)


def _domain(wanted: Mapping[str, Any]) -> Optional[str]:
    domain = wanted.get("domain") or {}
    return "default" if domain.get("id") == "default" or domain.get("name") == "Default" else domain.get("id")


def _by_credential(identity: Identity, given: Mapping[str, Any]) -> ApplicationCredential:
    credential = identity.credentials.get(given.get("id") or "")
    if credential is None and "name" in given:
        user = _find_user(identity, given.get("user") or {})
        mine = (c for c in identity.credentials.values() if user is not None and c.user_id == user.id)
        credential = next((c for c in mine if c.name == given["name"]), None)
    if credential is None or credential.secret != given.get("secret"):
        raise UnauthorizedError
    user = identity.users.get(credential.user_id)
    if user is None or not user.enabled:
        raise UnauthorizedError
    return credential


def _scoped(identity: Identity, methods: Tuple[str, ...], user: User, scope: Any, parent: Optional[Token]) -> Token:
    federation = None if parent is None else parent.federation
    if scope is None and user.default_project_id and parent is None:
        project = identity.projects.get(user.default_project_id)
        roles = identity.roles_of(user.id, user.default_project_id)
        if project is not None and project.enabled and roles:
            return identity.issue(methods, user, project, False, roles)
    if scope is None or scope == "unscoped":
        return identity.issue(methods, user, federation=federation)
    if scope.get("system"):
        roles = identity.roles_of(user.id, SYSTEM)
        if not roles:
            raise UnauthorizedError
        return identity.issue(methods, user, None, True, roles, federation=federation)
    project = _find_project(identity, scope.get("project") or {})
    roles = () if project is None else identity.roles_of(user.id, project.id)
    if project is None or not project.enabled or not roles:
        raise UnauthorizedError
    return identity.issue(methods, user, project, False, roles, federation=federation)


def _find_project(identity: Identity, wanted: Mapping[str, Any]) -> Optional[Project]:
    if "id" in wanted:
        return identity.projects.get(wanted["id"])
    key = (wanted.get("name"), _domain(wanted))
    return next((p for p in identity.projects.values() if (p.name, p.domain_id) == key), None)


def token_document(identity: Identity, token: Token, base: Optional[str]) -> Dict[str, Any]:
    """Return a token as keystone writes it; ``base`` None leaves the catalogue out."""
    domain = {"id": "default", "name": "Default"}
    user: Dict[str, Any] = {"domain": domain, "id": token.user.id, "name": token.user.name, "password_expires_at": None}
    if token.federation is not None:
        user["OS-FEDERATION"] = {
            "groups": [],
            "identity_provider": {"id": token.federation.idp},
            "protocol": {"id": token.federation.protocol},
        }
    document: Dict[str, Any] = {
        "methods": list(token.methods),
        "user": user,
        "audit_ids": [token.audit],
        "expires_at": _instant(token.expires),
        "issued_at": _instant(token.issued),
    }
    if token.project is not None:
        document["project"] = {"domain": domain, "id": token.project.id, "name": token.project.name}
        document["is_domain"] = False
    if token.roles:
        document["roles"] = [{"id": identity.role_id(role), "name": role} for role in token.roles]
    if token.system:
        document["system"] = {"all": True}
    if token.roles and base is not None:
        document["catalog"] = catalog(identity, token.project, base)
    if token.credential is not None:
        held = token.credential
        document["application_credential"] = {"id": held.id, "name": held.name, "restricted": True}
    return {"token": document}


def _instant(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(moment))
