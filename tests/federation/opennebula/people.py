"""Users, groups and access rules, and what each of them may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import Pairs

OBJECTS = (
    "VM HOST NET IMAGE USER TEMPLATE GROUP - DATASTORE CLUSTER DOCUMENT ZONE SECGROUP VDC VROUTER MARKETPLACE "
    "MARKETPLACEAPP VMGROUP VNTEMPLATE - BACKUPJOB"
).split()
RIGHTS = ("USE", "MANAGE", "ADMIN", "CREATE")
ONE, GROUP_OF, ALL, CLUSTER_OF = 0x100000000, 0x200000000, 0x400000000, 0x800000000
_WHO = {ONE: "#", GROUP_OF: "@", ALL: "*", CLUSTER_OF: "%"}


@dataclass
class User:
    """A user. ``password`` is what oned keeps: a digest for core, names for x509.

    ``tokens``: token, when it ends (-1: never), the group that it is for (-1: all).
    """

    id: int
    name: str
    password: str
    driver: str
    groups: List[int]
    enabled: bool = True
    template: Pairs = field(default_factory=list)
    tokens: List[Tuple[str, int, int]] = field(default_factory=list)
    quotas: str = ""

    @property
    def gid(self) -> int:
        """The primary group."""
        return self.groups[0]

    @property
    def is_admin(self) -> bool:
        """Whether nothing is hidden from the user."""
        return self.id == 0 or 0 in self.groups


@dataclass
class Group:
    """A group; ``quotas`` is XML as a site's own would be, empty for what follows from ``limits`` and its machines.

    ``limits`` are by name, as in ``{"VMS": "50"}``.
    """

    id: int
    name: str
    template: Pairs = field(default_factory=list)
    quotas: str = ""
    limits: Dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """An access rule: whom it is for, what for, which rights, in which zone, as the numbers that oned keeps."""

    id: int
    user: int
    resource: int
    rights: int
    zone: int

    def text(self) -> str:
        """Return the rule as people write it."""
        rights = "+".join(name for bit, name in enumerate(RIGHTS) if self.rights >> bit & 1)
        return f"{_who(self.user)} {_objects(self.resource)}/{_who(self.resource)} {rights} {_who(self.zone)}"

    def covers(self, user: User, kind: str, key: int, gid: int, cluster: int = -1) -> bool:
        """Tell whether the rule lets a user see an object."""
        if not self.rights & 1 or not self.resource >> 36 >> OBJECTS.index(kind) & 1:
            return False
        number = self.user & 0xFFFFFFFF
        if not (
            self.user & ALL or self.user & ONE and number == user.id or self.user & GROUP_OF and number in user.groups
        ):
            return False
        wanted = self.resource & 0xFFFFFFFF
        if self.resource & ALL:
            return True
        if self.resource & ONE:
            return wanted == key
        return wanted == (gid if self.resource & GROUP_OF else cluster)


def rule_from(text: str, key: int) -> Rule:
    """Return a rule from text as in ``#6 VM+HOST/* USE *``."""
    who, what, rights, zone = (text.split() + ["#0"])[:4]
    objects, _, where = what.partition("/")
    resource = _number(where)
    for name in objects.split("+"):
        resource |= 1 << OBJECTS.index(name) << 36
    given = sum(1 << RIGHTS.index(name) for name in rights.split("+"))
    return Rule(key, _number(who), resource, given, _number(zone))


def _number(text: str) -> int:
    kind = next(number for number, sign in _WHO.items() if sign == text[0])
    return kind if text == "*" else kind | int(text[1:])


def _who(number: int) -> str:
    kind = next(kind for kind in _WHO if number & kind)
    return "*" if kind == ALL else f"{_WHO[kind]}{number & 0xFFFFFFFF}"


def _objects(resource: int) -> str:
    return "+".join(name for bit, name in enumerate(OBJECTS) if resource >> 36 >> bit & 1)


class People:
    """Who there is. Starts with oneadmin and serveradmin, and their group and the group of users."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.users: Dict[int, User] = {}
        self.groups: Dict[int, Group] = {0: Group(0, "oneadmin"), 1: Group(1, "users")}
        self.rules: Dict[int, Rule] = {}
        self.default_limits: Dict[str, str] = {}
        self.gone: Dict[int, str] = {}
        self.revision = 0
        self.add_user("oneadmin", "opennebula", groups=[0])
        self.add_user("serveradmin", "serveradmin", "server_cipher", groups=[0])
        self.add_rule("* ZONE/* USE *")

    def add_user(
        self,
        name: str,
        password: str,
        driver: str = "core",
        groups: Optional[List[int]] = None,
        key: Optional[int] = None,
    ) -> User:
        """Add a user; for core and server_cipher the password is given in clear. Raises ValueError."""
        if any(user.name == name for user in self.users.values()):
            raise ValueError(f"there is a user {name}")
        if key is None:
            key = max([*self.users, *self.gone, -1]) + 1
        user = User(key, name, "", driver, list(groups or [1]))
        self.set_password(user, password, driver)
        self.users[key] = user
        self.revision += 1
        return user

    def set_password(self, user: User, password: str, driver: str) -> None:
        """Change how a user logs in."""
        user.driver = driver
        digested = driver in ("core", "server_cipher")
        user.password = self.profile.digest(password.encode()).hexdigest() if digested else password
        secret = hashlib.sha256(f"token of {user.id}".encode()).hexdigest()
        if self.profile.since(3, 2) and not any(row[0] == "TOKEN_PASSWORD" for row in user.template):
            user.template = [*user.template, ("TOKEN_PASSWORD", secret)]

    def delete_user(self, key: int) -> None:
        """Delete a user; machines keep its name."""
        self.gone[key] = self.users.pop(key).name
        self.revision += 1

    def add_group(self, name: str, key: Optional[int] = None) -> Group:
        """Add a group. Raises ValueError."""
        if any(group.name == name for group in self.groups.values()):
            raise ValueError(f"there is a group {name}")
        if key is None:
            key = max([99, *self.groups]) + 1
        self.groups[key] = Group(key, name)
        self.revision += 1
        return self.groups[key]

    def add_rule(self, text: str, key: Optional[int] = None) -> int:
        """Add an access rule and return its id."""
        if key is None:
            key = max(self.rules, default=-1) + 1
        self.rules[key] = rule_from(text, key)
        return key

    def user(self, name: object) -> User:
        """Return a user by name or id. Raises LookupError."""
        found = self.users.get(name) if isinstance(name, int) else None
        found = found or next((user for user in self.users.values() if user.name == name), None)
        if found is None:
            raise LookupError(f"no user {name!r}")
        return found

    def group(self, name: object) -> Group:
        """Return a group by name or id. Raises LookupError."""
        found = self.groups.get(name) if isinstance(name, int) else None
        found = found or next((group for group in self.groups.values() if group.name == name), None)
        if found is None:
            raise LookupError(f"no group {name!r}")
        return found

    def gid_of(self, uid: int) -> int:
        """Return the primary group of a user, 0 when there is no such user."""
        return self.users[uid].gid if uid in self.users else 0

    def user_name(self, uid: int) -> str:
        """Return the name of a user, of a deleted one too."""
        return self.users[uid].name if uid in self.users else self.gone.get(uid, "")

    def group_name(self, gid: int) -> str:
        """Return the name of a group."""
        return self.groups[gid].name if gid in self.groups else ""

    def may_use(
        self, user: User, kind: str, key: int, uid: int, gid: int, octal: str = "600", cluster: int = -1
    ) -> bool:
        """Tell whether a user may see an object: as admin, owner, by its permissions, or by a rule."""
        if user.is_admin or uid == user.id:
            return True
        if int(octal[1]) & 4 and gid in user.groups or int(octal[2]) & 4:
            return True
        return any(rule.covers(user, kind, key, gid, cluster) for rule in self.rules.values())
