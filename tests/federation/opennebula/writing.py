"""The methods that change machines, users and groups."""

from __future__ import annotations

import secrets
import time
from typing import Dict

from tests.federation.opennebula.machine import DONE, Machine
from tests.federation.opennebula.methods import Asked, Value, method
from tests.federation.opennebula.people import User
from tests.federation.opennebula.reading import forbidden, missing
from tests.federation.opennebula.template import Pairs, TemplateError, merged, parse
from tests.federation.opennebula.wire import ACTION, AUTHORIZATION, BAD_ARGUMENT, INTERNAL, RefusedError

_FORBIDDEN_IN_NAMES = set("&|:\\\";/'#{}$<>")

# What vm.action calls the acts; resume and the like carry their own name.
_ACTIONS = {
    "terminate": "terminate",
    "terminate-hard": "terminate_hard",
    "shutdown": "terminate",
    "shutdown-hard": "terminate_hard",
    "poweroff": "poweroff",
    "poweroff-hard": "poweroff_hard",
    "undeploy": "undeploy",
    "undeploy-hard": "undeploy_hard",
    "suspend": "suspend",
    "stop": "stop",
    "resume": "resume",
    "hold": "hold",
    "release": "release",
    "reboot": "reboot",
    "reboot-hard": "reboot",
    "delete": "delete",
    "delete-recreate": "recreate",
}


def template_of(text: str) -> Pairs:
    """Return the attributes that a call brought. Raises RefusedError."""
    try:
        return parse(text)
    except TemplateError as error:
        raise RefusedError(ACTION, f"Parse error: {error}") from None


def _managed(asked: Asked, key: int) -> Machine:
    machine = asked.site.machines.get(key)
    if machine is None:
        raise missing(asked, "virtual machine", key)
    if not asked.user.is_admin and machine.uid != asked.user.id:
        raise forbidden(asked, "MANAGE", "VM", key)
    if machine.lock:
        raise RefusedError(AUTHORIZATION, f"User [{asked.user.id}] : VM is locked. [{key}].")
    return machine


@method("vm.action", "si")
def _vm_action(asked: Asked) -> Value:
    action, key = asked.arguments
    machine = _managed(asked, key)
    if action not in _ACTIONS:
        raise RefusedError(ACTION, f'Action "{action}" is not supported')
    if not (machine.state == DONE and action.startswith("terminate")):
        try:
            asked.site.machines.act(key, _ACTIONS[action], None, {"by": asked.user.id})
        except ValueError:
            shown = machine.place.upper()
            text = f'Error performing action "{action}": This action is not available for state {shown}'
            raise RefusedError(ACTION, text) from None
    return int(key)


@method("vm.update", "is[i")
def _vm_update(asked: Asked) -> Value:
    machine = _managed(asked, asked.arguments[0])
    given = template_of(asked.arguments[1])
    kept = asked.site.machines.kept(machine.id)
    kept.user_template = merged(kept.user_template, given) if merging(asked, 2) else given
    kept.rendered.clear()
    return machine.id


@method("vm.rename", "is", "4.4")
def _vm_rename(asked: Asked) -> Value:
    machine = _managed(asked, asked.arguments[0])
    check_name(asked.arguments[1])
    asked.site.machines.act(machine.id, "rename", None, {"name": asked.arguments[1]})
    return machine.id


@method("vm.chown", "iii")
def _vm_chown(asked: Asked) -> Value:
    key, uid, gid = asked.arguments
    only_admins(asked, "MANAGE", "VM", key)
    machine = _managed(asked, key)
    details: Dict[str, int] = {}
    if uid != -1:
        details["uid"] = uid
    if gid != -1:
        details["gid"] = gid
    asked.site.machines.act(machine.id, "chown", None, dict(details))
    return machine.id


# Users


@method("user.allocate", "sss[a")
def _user_allocate(asked: Asked) -> Value:
    name, password, driver = asked.arguments[:3]
    only_admins(asked, "CREATE", "USER", -1)
    groups = list(asked.arguments[3]) if len(asked.arguments) > 3 and asked.site.profile.since(5, 2) else []
    people = asked.site.people
    if not name:
        raise RefusedError(INTERNAL, "Invalid NAME, it cannot be empty.")
    if not password:
        raise RefusedError(INTERNAL, "Invalid password, it cannot be empty.")
    check_name(name, INTERNAL, blanks=False, end=".")
    _check_password(asked, password, driver, INTERNAL, end=".")
    for gid in groups:
        if gid not in people.groups:
            raise missing(asked, "group", gid)
    taken = next((user for user in people.users.values() if user.name == name), None)
    if taken is not None:
        raise RefusedError(INTERNAL, f"NAME is already taken by USER {taken.id}.")
    return people.add_user(name, password, driver or "core", groups).id


def _check_password(asked: Asked, password: str, driver: str, code: int, end: str = "") -> None:
    if driver == "x509" and any(letter.isspace() for letter in password) and asked.site.profile.since(4, 0):
        raise RefusedError(code, f"Invalid password, character ' ' is not allowed{end}")


def check_name(name: str, code: int = ACTION, blanks: bool = True, end: str = "") -> None:
    """Refuse a name that oned would; user.allocate ends its sentence with a full stop."""
    bad = next((letter for letter in name if letter in _FORBIDDEN_IN_NAMES or letter.isspace() and not blanks), None)
    if bad is not None:
        raise RefusedError(code, f"Invalid NAME, char '{bad}' is not allowed{end}")
    if len(name) > 128:
        raise RefusedError(code, f"Invalid NAME, max length is 128 chars{end}")


def _user(asked: Asked, key: int, right: str = "MANAGE") -> User:
    row = asked.site.people.users.get(key)
    if row is None:
        raise missing(asked, "user", key)
    if not asked.user.is_admin and (right == "ADMIN" or row.id != asked.user.id):
        raise forbidden(asked, right, "USER", key)
    return row


def only_admins(asked: Asked, right: str, kind: str, key: int) -> None:
    """Refuse who is no administrator."""
    if not asked.user.is_admin:
        raise forbidden(asked, right, kind, key)


def merging(asked: Asked, place: int) -> bool:
    """Tell whether an update adds to the template: 4.2 and newer, and only when told to."""
    return len(asked.arguments) > place and asked.arguments[place] == 1 and asked.site.profile.since(4, 2)


@method("user.update", "is[i")
def _user_update(asked: Asked) -> Value:
    row = _user(asked, asked.arguments[0])
    given = template_of(asked.arguments[1])
    secret = [pair for pair in row.template if pair[0] == "TOKEN_PASSWORD"]
    row.template = merged(row.template, given) if merging(asked, 2) else merged(secret, given)
    return row.id


@method("user.chauth", "is[s")
def _user_chauth(asked: Asked) -> Value:
    row = _user(asked, asked.arguments[0], "ADMIN")
    driver, password = asked.arguments[1], asked.arguments[2] if len(asked.arguments) > 2 else ""
    _check_password(asked, password, driver, ACTION)
    if password:
        asked.site.people.set_password(row, password, driver)
    row.driver = driver
    asked.site.people.revision += 1
    return row.id


@method("user.passwd", "is")
def _user_passwd(asked: Asked) -> Value:
    row = _user(asked, asked.arguments[0])
    asked.site.people.set_password(row, asked.arguments[1], row.driver)
    return row.id


@method("user.enable", "ib", "6.0")
def _user_enable(asked: Asked) -> Value:
    row = _user(asked, asked.arguments[0], "ADMIN")
    row.enabled = asked.arguments[1]
    return row.id


@method("user.chgrp", "ii")
def _user_chgrp(asked: Asked) -> Value:
    row, gid = _user(asked, asked.arguments[0], "ADMIN"), asked.arguments[1]
    if gid not in asked.site.people.groups:
        raise missing(asked, "group", gid)
    row.groups = [gid, *[other for other in row.groups[1:] if other != gid]]
    return row.id


@method("user.addgroup", "ii", "4.4")
def _user_addgroup(asked: Asked) -> Value:
    row, gid = _user(asked, asked.arguments[0], "ADMIN"), asked.arguments[1]
    if gid not in asked.site.people.groups:
        raise missing(asked, "group", gid)
    if gid in row.groups:
        raise RefusedError(ACTION, "User is already in this group")
    row.groups.append(gid)
    return row.id


@method("user.delgroup", "ii", "4.4")
def _user_delgroup(asked: Asked) -> Value:
    row, gid = _user(asked, asked.arguments[0], "ADMIN"), asked.arguments[1]
    if gid == row.gid:
        raise RefusedError(ACTION, "Cannot remove user from the primary group")
    if gid not in row.groups:
        raise RefusedError(ACTION, "User is not part of this group")
    row.groups.remove(gid)
    return row.id


@method("user.delete", "i")
def _user_delete(asked: Asked) -> Value:
    row = _user(asked, asked.arguments[0], "ADMIN")
    if row.id == 0:
        raise RefusedError(ACTION, "Cannot delete user. oneadmin cannot be deleted.")
    asked.site.people.delete_user(row.id)
    return row.id


@method("user.login", "ssi[i", "4.10")
def _user_login(asked: Asked) -> Value:
    name, token, seconds = asked.arguments[:3]
    if name != asked.user.name:
        raise RefusedError(BAD_ARGUMENT, "Cannot create a full token with a specific group token")
    if seconds == 0:
        asked.user.tokens = [row for row in asked.user.tokens if token and row[0] != token]
        return ""
    token = token or secrets.token_hex(32)
    asked.user.tokens.append((token, -1 if seconds < 0 else int(time.time()) + seconds, -1))
    return str(token)


@method("group.allocate", "s")
def _group_allocate(asked: Asked) -> Value:
    only_admins(asked, "CREATE", "GROUP", -1)
    taken = next((row for row in asked.site.people.groups.values() if row.name == asked.arguments[0]), None)
    if taken is not None:
        raise RefusedError(INTERNAL, f"NAME is already taken by GROUP {taken.id}.")
    return asked.site.people.add_group(asked.arguments[0]).id
