"""Projects, users, roles, credentials and tokens of the simulated site."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

SYSTEM = "system"
ROLES = ("reader", "member", "admin")
ADMIN_NAME = "admin"
ADMIN_PASSWORD = "throw-away"
ADMIN_PROJECT = "admin"


@dataclass
class Project:
    """A project; ``extra`` holds the properties that the site added, such as its VO."""

    id: str
    name: str
    domain_id: str = "default"
    description: str = ""
    enabled: bool = True
    tags: List[str] = field(default_factory=list)
    extra: Dict[str, Any] = field(default_factory=dict)


@dataclass
class User:
    """A user; ``federated`` lists (identity provider, protocol, unique id)."""

    id: str
    name: str
    domain_id: str = "default"
    enabled: bool = True
    password: Optional[str] = None
    default_project_id: Optional[str] = None
    federated: List[Tuple[str, str, str]] = field(default_factory=list)
    extra: Dict[str, Any] = field(default_factory=dict)


class ApplicationCredential(NamedTuple):
    """A credential of a user that is bound to one project."""

    id: str
    name: str
    secret: str
    user_id: str
    project_id: str
    roles: Tuple[str, ...]


class AccessToken(NamedTuple):
    """A bearer token of an identity provider, and whom it stands for."""

    user_id: str
    idp: str
    protocol: str


class Token(NamedTuple):
    """A token of keystone. No project and not system: unscoped. Instants are real ones, in seconds."""

    id: str
    methods: Tuple[str, ...]
    user: User
    project: Optional[Project]
    system: bool
    roles: Tuple[str, ...]
    issued: float
    expires: float
    audit: str
    credential: Optional[ApplicationCredential]
    federation: Optional[AccessToken]

    @property
    def is_admin(self) -> bool:
        """Tell whether services treat the caller as an administrator."""
        return "admin" in self.roles

    @property
    def is_system_reader(self) -> bool:
        """Tell whether the caller may read what belongs to everybody."""
        return self.is_admin or (self.system and "reader" in self.roles)


class Identity:
    """Everybody and everything that can be named at keystone.

    ``services`` is the catalogue: name and address by type. An address that begins with a slash is on this site; in it
    ``%(project_id)s`` stands for the token's project.
    """

    def __init__(self) -> None:
        self.random = random.Random(20261122)
        self.projects: Dict[str, Project] = {}
        self.users: Dict[str, User] = {}
        self.grants: Dict[Tuple[str, str], List[str]] = {}
        self.credentials: Dict[str, ApplicationCredential] = {}
        self.access_tokens: Dict[str, AccessToken] = {}
        self.tokens: Dict[str, Token] = {}
        self.token_seconds = 7200.0
        self.services: Dict[str, Tuple[str, str]] = {
            "identity": ("keystone", "/identity/v3"),
            "compute": ("nova", "/compute/v2.1"),
            "image": ("glance", "/image"),
        }
        project = self.create_project({"name": ADMIN_PROJECT})
        admin = self.create_user({"name": ADMIN_NAME, "password": ADMIN_PASSWORD})
        self.grant(admin.id, "admin", project.id)
        self.grant(admin.id, "admin", SYSTEM)

    def new_id(self) -> str:
        """Return an id as keystone makes them; the same ones in each run."""
        return f"{self.random.getrandbits(128):032x}"

    def role_id(self, role: str) -> str:
        """Return the id of a role."""
        return hashlib.md5(role.encode(), usedforsecurity=False).hexdigest()

    def create_project(self, fields: Dict[str, Any]) -> Project:
        """Add a project; unknown fields become its properties. Raises ValueError when the name is taken."""
        known = {
            name: fields[name] for name in ("name", "domain_id", "description", "enabled", "tags") if name in fields
        }
        project = Project(id=fields.get("id") or self.new_id(), **known)
        if any((p.name, p.domain_id) == (project.name, project.domain_id) for p in self.projects.values()):
            raise ValueError(f"project {project.name!r} exists")
        project.extra = {name: value for name, value in fields.items() if name not in known and name != "id"}
        self.projects[project.id] = project
        return project

    def create_user(self, fields: Dict[str, Any]) -> User:
        """Add a user; unknown fields become extra attributes, ``roles`` grants: project name or id to roles."""
        own = ("name", "domain_id", "enabled", "password", "default_project_id")
        known = {name: fields[name] for name in own if name in fields}
        user = User(id=fields.get("id") or self.new_id(), **known)
        if any((u.name, u.domain_id) == (user.name, user.domain_id) for u in self.users.values()):
            raise ValueError(f"user {user.name!r} exists")
        user.federated = [(str(entry[0]), str(entry[1]), str(entry[2])) for entry in fields.get("federated") or []]
        rest = {*own, "id", "federated", "roles"}
        user.extra = {name: value for name, value in fields.items() if name not in rest}
        self.users[user.id] = user
        for target, roles in (fields.get("roles") or {}).items():
            for role in roles:
                self.grant(user.id, role, target)
        return user

    def project(self, key: str) -> Project:
        """Return a project by its id or name. Raises LookupError."""
        if key in self.projects:
            return self.projects[key]
        found = next((project for project in self.projects.values() if project.name == key), None)
        if found is None:
            raise LookupError(f"no project {key!r}")
        return found

    def user(self, key: str) -> User:
        """Return a user by its id or name. Raises LookupError."""
        if key in self.users:
            return self.users[key]
        found = next((user for user in self.users.values() if user.name == key), None)
        if found is None:
            raise LookupError(f"no user {key!r}")
        return found

    def grant(self, user: str, role: str, target: str) -> None:
        """Give a role on a project, or on the system."""
        place = SYSTEM if target == SYSTEM else self.project(target).id
        roles = self.grants.setdefault((self.user(user).id, place), [])
        if role not in roles:
            roles.append(role)

    def revoke(self, user: str, role: str, target: str) -> None:
        """Take a role away. Raises LookupError when it is not there."""
        place = SYSTEM if target == SYSTEM else self.project(target).id
        roles = self.grants.get((self.user(user).id, place), [])
        if role not in roles:
            raise LookupError(f"no role {role!r} of {user!r} on {target!r}")
        roles.remove(role)

    def roles_of(self, user_id: str, place: str) -> Tuple[str, ...]:
        """Return the roles on a project or on the system, with those that they imply."""
        granted = self.grants.get((user_id, place), [])
        reach = max((ROLES.index(role) for role in granted if role in ROLES), default=-1)
        return tuple(ROLES[: reach + 1]) + tuple(role for role in granted if role not in ROLES)

    def projects_of(self, user_id: str) -> List[Project]:
        """Return the enabled projects that a user may scope to."""
        found = [p for p in self.projects.values() if p.enabled and self.roles_of(user_id, p.id)]
        return sorted(found, key=lambda project: project.id)

    def issue(
        self,
        methods: Tuple[str, ...],
        user: User,
        project: Optional[Project] = None,
        system: bool = False,
        roles: Tuple[str, ...] = (),
        credential: Optional[ApplicationCredential] = None,
        federation: Optional[AccessToken] = None,
    ) -> Token:
        """Return a new token.

        Tokens live in real time even when the site's clock is set: the client judges by its own clock when to log in
        again, and would do so at each call if the site lived in another month.
        """
        now = time.time()
        identity = f"gAAAAAB{self.random.getrandbits(512):0128x}"
        audit = f"{self.random.getrandbits(128):032x}"[:22]
        expires = now + self.token_seconds
        token = Token(identity, methods, user, project, system, roles, now, expires, audit, credential, federation)
        self.tokens[identity] = token
        return token

    def token(self, identity: Optional[str]) -> Optional[Token]:
        """Return the token while it is good: known, not expired, its user and project enabled, roles left."""
        token = self.tokens.get(identity or "")
        if token is None or token.expires <= time.time():
            return None
        if self.users.get(token.user.id) is not token.user or not token.user.enabled:
            return None
        if token.project is not None:
            project = self.projects.get(token.project.id)
            if project is not token.project or not project.enabled:
                return None
            if token.credential is None and not self.roles_of(token.user.id, project.id):
                return None
        if token.credential is not None and token.credential.id not in self.credentials:
            return None
        return token
