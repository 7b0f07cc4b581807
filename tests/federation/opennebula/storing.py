"""The methods that change images and the templates that machines are made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

from tests.federation.opennebula import pools
from tests.federation.opennebula.inventory import Blueprint, Datastore, Image
from tests.federation.opennebula.methods import Asked, Value, method
from tests.federation.opennebula.reading import forbidden, missing, using_image
from tests.federation.opennebula.template import Pairs, first, merged
from tests.federation.opennebula.wire import (
    ACTION,
    ALLOCATE,
    AUTHORIZATION,
    INTERNAL,
    RefusedError,
    Xml,
    escaped,
)
from tests.federation.opennebula.writing import check_name, merging, only_admins, template_of

READY, DISABLED, LOCKED, ERROR, DELETING = 1, 3, 4, 5, 7
_TYPES = {"OS": 0, "CDROM": 1, "DATABLOCK": 2, "KERNEL": 3, "RAMDISK": 4, "CONTEXT": 5}
_OWN = ("NAME", "TYPE", "PATH", "PERSISTENT", "SIZE", "DRIVER", "FORMAT")


@method("image.info", "i[b")
def _image(asked: Asked) -> Value:
    site, key = asked.site, asked.arguments[0]
    row = _found(asked, key)
    if not site.people.may_use(asked.user, "IMAGE", key, row.uid, row.gid, row.permissions):
        raise forbidden(asked, "USE", "IMAGE", key)
    shown = pools.image(site.profile, site.people, site.inventory, row, using_image(asked).get(key, []))
    _polled(asked, row)
    return Xml(escaped(f"{shown}"))


def _polled(asked: Asked, row: Image) -> None:
    """The driver works while others ask: after so many polls an image is ready, broken or gone."""
    if row.state not in (LOCKED, DELETING):
        return
    row.polls -= 1
    if row.polls > 0:
        return
    if row.state == DELETING:
        del asked.site.inventory.images[row.id]
    else:
        row.state = ERROR if row.error else READY


def _found(asked: Asked, key: int) -> Image:
    row = asked.site.inventory.images.get(key)
    if row is None:
        raise missing(asked, "image", key)
    return row


def _managed(asked: Asked, key: int) -> Image:
    row = _found(asked, key)
    if not asked.user.is_admin and row.uid != asked.user.id:
        raise forbidden(asked, "MANAGE", "IMAGE", key)
    if row.lock:
        raise RefusedError(AUTHORIZATION, f"User [{asked.user.id}] : IMAGE is locked. [{key}].")
    return row


@method("image.allocate", "s[ib")
def _image_allocate(asked: Asked) -> Value:
    only_admins(asked, "CREATE", "IMAGE", -1)
    images = asked.site.inventory.images
    given = template_of(asked.arguments[0])
    store = _store(asked)
    name, kind = first(given, "NAME") or "", first(given, "TYPE") or "OS"
    taken = next((row.id for row in images.values() if row.name == name and row.uid == asked.user.id), None)
    reason = None
    if not name:
        reason = "Invalid NAME, it cannot be empty"
    elif kind not in _TYPES:
        reason = "Unknown type "
    elif store.type == 1:
        reason = "New images can only be allocated in a files or image datastore."
    elif taken is not None:
        reason = f"NAME is already taken by IMAGE {taken}."
    if reason is not None:
        raise RefusedError(ALLOCATE, f"Error allocating a new image. {reason}")
    size = _size(given)
    if size > store.free and not (len(asked.arguments) > 2 and asked.arguments[2]):
        raise RefusedError(ACTION, "Not enough space in datastore")
    key = max([*images, -1]) + 1
    path = first(given, "PATH") or ""
    images[key] = Image(
        key,
        name,
        asked.user.id,
        asked.user.gid,
        size,
        state=LOCKED,
        type=_TYPES[kind],
        persistent=int((first(given, "PERSISTENT") or "NO").upper() == "YES"),
        regtime=asked.site.machines.clock.now(),
        datastore_id=store.id,
        path=path,
        source=f"/var/lib/one//datastores/{store.id}/{key:032x}",
        permissions="600",
        polls=asked.site.image_polls,
        error="" if _allowed(path, store) else _restricted(path),
        template=[pair for pair in given if pair[0] not in _OWN] or [("DEV_PREFIX", "sd")],
    )
    return key


def _store(asked: Asked) -> Datastore:
    key = asked.arguments[1] if len(asked.arguments) > 1 else 1
    store = asked.site.inventory.datastores.get(key)
    if store is None:
        raise missing(asked, "datastore", key)
    return store


def _size(given: Pairs) -> int:
    """Return the MB that an image takes; the driver looks at the file."""
    path = first(given, "PATH")
    if path is None:
        if first(given, "SIZE") is None:
            raise RefusedError(INTERNAL, "Cannot parse image SIZE: Wrong number or missing SIZE attribute.")
        return int(first(given, "SIZE") or 0)
    if not Path(path).is_file():
        why = "Permission denied" if "://" in path else "No such file or directory"
        raise RefusedError(INTERNAL, f"Cannot parse image SIZE: cannot access '{path}' ({why})")
    return Path(path).stat().st_size // 1048576 + 1


def _allowed(path: str, store: Datastore) -> bool:
    real = os.path.realpath(path)

    def below(name: str) -> bool:
        return any(os.path.commonpath([real, one]) == one for one in (first(store.template, name) or "").split())

    return not path or below("SAFE_DIRS") or not below("RESTRICTED_DIRS")


def _restricted(path: str) -> str:
    return (
        "Error copying image in the datastore: Not allowed to copy image from "
        f"{path}, check RESTRICTED_DIRS in your datastore"
    )


@method("image.update", "is[i")
def _image_update(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    row.template = _updated(asked, row.template)
    return row.id


def _updated(asked: Asked, template: Pairs) -> Pairs:
    given = template_of(asked.arguments[1])
    return merged(template, given) if merging(asked, 2) else given


@method("image.rename", "is", "4.4")
def _image_rename(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    check_name(asked.arguments[1])
    row.name = asked.arguments[1]
    return row.id


@method("image.chown", "iii")
def _image_chown(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    return _chown(asked, row)


def _chown(asked: Asked, row: Any) -> int:
    uid, gid = asked.arguments[1:3]
    if uid != -1 and uid not in asked.site.people.users:
        raise missing(asked, "user", uid)
    if gid != -1 and gid not in asked.site.people.groups:
        raise missing(asked, "group", gid)
    row.uid = row.uid if uid == -1 else uid
    row.gid = row.gid if gid == -1 else gid
    return int(row.id)


@method("image.chmod", "iiiiiiiiii")
def _image_chmod(asked: Asked) -> Value:
    return _chmod(asked, _managed(asked, asked.arguments[0]))


def _chmod(asked: Asked, row: Any) -> int:
    digits = [int(digit) for digit in row.permissions]
    for place, wanted in enumerate(asked.arguments[1:10]):
        bit = 4 >> place % 3
        if wanted != -1:
            digits[place // 3] = digits[place // 3] & ~bit | (bit if wanted else 0)
    row.permissions = "".join(map(str, digits))
    return int(row.id)


@method("image.enable", "ib")
def _image_enable(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    if using_image(asked).get(row.id):
        raise RefusedError(INTERNAL, "Could not disable image: Image cannot be in state USED.")
    row.state = READY if asked.arguments[1] else DISABLED
    return row.id


@method("image.persistent", "ib")
def _image_persistent(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    if using_image(asked).get(row.id):
        raise RefusedError(INTERNAL, "Could not make image persistent: Image cannot be in state USED.")
    row.persistent = int(asked.arguments[1])
    return row.id


@method("image.lock", "ii[b", "5.2")
def _image_lock(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    now = asked.site.machines.clock.now()
    row.lock = f"<LOCKED>{asked.arguments[1]}</LOCKED><OWNER>{asked.user.id}</OWNER><TIME>{now}</TIME>"
    return row.id


@method("image.unlock", "i", "5.2")
def _image_unlock(asked: Asked) -> Value:
    row = _found(asked, asked.arguments[0])
    row.lock = ""
    return row.id


@method("image.delete", "i[b")
def _image_delete(asked: Asked) -> Value:
    row = _managed(asked, asked.arguments[0])
    users = using_image(asked).get(row.id, [])
    if users:
        raise RefusedError(ACTION, f"Cannot delete image. There are {len(users)} VMs using it.")
    row.state, row.polls = DELETING, asked.site.image_polls
    return row.id


# Templates


@method("template.allocate", "s")
def _template_allocate(asked: Asked) -> Value:
    given = template_of(asked.arguments[0])
    templates: Dict[int, Blueprint] = asked.site.inventory.templates
    name = first(given, "NAME") or f"template-{len(templates)}"
    check_name(name, INTERNAL)
    taken = next((row.id for row in templates.values() if row.name == name and row.uid == asked.user.id), None)
    if taken is not None:
        raise RefusedError(INTERNAL, f"NAME is already taken by TEMPLATE {taken}.")
    key = max([*templates, -1]) + 1
    kept = [pair for pair in given if pair[0] != "NAME"]
    now = asked.site.machines.clock.now()
    templates[key] = Blueprint(key, name, asked.user.id, asked.user.gid, now, "600", template=kept)
    return key


def _template(asked: Asked) -> Blueprint:
    key = asked.arguments[0]
    row = asked.site.inventory.templates.get(key)
    if row is None:
        raise missing(asked, "virtual machine template", key)
    if not asked.user.is_admin and row.uid != asked.user.id:
        raise forbidden(asked, "MANAGE", "TEMPLATE", key)
    return row


@method("template.update", "is[i")
def _template_update(asked: Asked) -> Value:
    row = _template(asked)
    row.template = _updated(asked, row.template)
    return row.id


@method("template.chown", "iii")
def _template_chown(asked: Asked) -> Value:
    return _chown(asked, _template(asked))


@method("template.chmod", "iiiiiiiiii")
def _template_chmod(asked: Asked) -> Value:
    return _chmod(asked, _template(asked))


@method("template.rename", "is", "4.4")
def _template_rename(asked: Asked) -> Value:
    row = _template(asked)
    check_name(asked.arguments[1])
    row.name = asked.arguments[1]
    return row.id


@method("template.delete", "i[b")
def _template_delete(asked: Asked) -> Value:
    return asked.site.inventory.templates.pop(_template(asked).id).id
