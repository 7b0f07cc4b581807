"""The methods that only read, machines apart."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List

from tests.federation.opennebula import pools, quotas
from tests.federation.opennebula.machine import ACTIVE, DONE, POWEROFF, SUSPENDED, Machine
from tests.federation.opennebula.methods import Asked, Value, method
from tests.federation.opennebula.people import User
from tests.federation.opennebula.template import first, vectors
from tests.federation.opennebula.wire import AUTHORIZATION, BAD_ARGUMENT, NO_EXISTS, RefusedError, Xml, escaped


def document(name: str, rows: Iterable[str]) -> Xml:
    """Return a pool."""
    return Xml(escaped(f"<{name}>{''.join(rows)}</{name}>"))


def in_order(asked: Asked, keys: Iterable[int]) -> List[int]:
    """Return ids as this user gets them: newest first from 5.8 on, unless the user's own template says otherwise."""
    return sorted(keys, reverse=descending(asked))


def descending(asked: Asked) -> bool:
    """Tell whether this user gets pools newest first."""
    for attributes in vectors(asked.user.template, "OPENNEBULA"):
        wanted = first(attributes, "API_LIST_ORDER")
        if wanted is not None and asked.site.profile.descending:
            return wanted.upper() != "ASC"
    return asked.site.profile.descending


def missing(asked: Asked, kind: str, key: int) -> RefusedError:
    """Return the answer about an object that is not there."""
    shown = f"{kind} [{key}]." if key >= 0 else f"{kind} Pool."
    return RefusedError(NO_EXISTS, f"Error getting {shown}", key)


def forbidden(asked: Asked, right: str, kind: str, key: int) -> RefusedError:
    """Return the answer to somebody without the right."""
    shown = f"{kind} [{key}]" if key >= 0 else kind
    return RefusedError(AUTHORIZATION, f"User [{asked.user.id}] : Not authorized to perform {right} {shown}.")


def check_filter(asked: Asked, flag: int) -> None:
    """Refuse a filter that there is not."""
    if flag < (-4 if asked.site.profile.since(5, 2) else -3):
        raise RefusedError(BAD_ARGUMENT, "Incorrect filter_flag")


def wanted(user: User, flag: int, uid: int, gid: int) -> bool:
    """Tell whether an object passes a filter flag."""
    if flag >= 0:
        return uid == flag
    if flag == -4:
        return gid == user.gid
    if flag == -3:
        return uid == user.id
    if flag == -1:
        return uid == user.id or gid in user.groups
    return True


@method("system.version", "", "3.8")
def _version(asked: Asked) -> Value:
    return asked.site.profile.text


@method("system.config", "", "4.4")
def _config(asked: Asked) -> Value:
    order = "<API_LIST_ORDER><![CDATA[DESC]]></API_LIST_ORDER>" if asked.site.profile.descending else ""
    rows = "<MAX_CONN><![CDATA[15]]></MAX_CONN><TIMEOUT><![CDATA[15]]></TIMEOUT><VERSION><![CDATA["
    return Xml(
        escaped(
            f"<OPENNEBULA_CONFIGURATION>{order}{rows}{asked.site.profile.text}]]></VERSION></OPENNEBULA_CONFIGURATION>"
        )
    )


@method("user.info", "i")
def _user(asked: Asked) -> Value:
    people, profile = asked.site.people, asked.site.profile
    key = asked.user.id if asked.arguments[0] == -1 else asked.arguments[0]
    row = people.users.get(key)
    if row is None:
        raise missing(asked, "user", key)
    if not people.may_use(asked.user, "USER", row.id, row.id, row.gid):
        raise forbidden(asked, "USE", "USER", key)
    shown = ""
    if profile.since(3, 8):
        shown = row.quotas or pools.NO_QUOTAS
    if profile.since(4, 0):
        shown += f"<DEFAULT_USER_QUOTAS>{pools.NO_QUOTAS}</DEFAULT_USER_QUOTAS>"
    return Xml(escaped(f"<USER>{pools.user(profile, people, row)}{shown}</USER>"))


@method("userpool.info", "")
def _users(asked: Asked) -> Value:
    people, profile = asked.site.people, asked.site.profile
    rows = []
    for key in in_order(asked, people.users):
        row = people.users[key]
        if people.may_use(asked.user, "USER", key, key, row.gid):
            rows.append(f"<USER>{pools.user(profile, people, row)}</USER>")
            rows.append(
                f"<QUOTAS><ID>{key}</ID>{row.quotas or pools.NO_QUOTAS}</QUOTAS>" if profile.since(4, 0) else ""
            )
    if profile.since(4, 0):
        rows.append(f"<DEFAULT_USER_QUOTAS>{pools.NO_QUOTAS}</DEFAULT_USER_QUOTAS>")
    return document("USER_POOL", rows)


@method("group.info", "i")
def _group(asked: Asked) -> Value:
    people, profile = asked.site.people, asked.site.profile
    key = asked.user.gid if asked.arguments[0] == -1 else asked.arguments[0]
    row = people.groups.get(key)
    if row is None:
        raise missing(asked, "group", key)
    if not _sees_group(asked, key):
        raise forbidden(asked, "USE", "GROUP", key)
    shown = ""
    if profile.since(3, 8):
        shown = quotas.of_group(profile, row, quotas.used_by_groups(asked.site.machines.machines.values()))
    if profile.since(4, 0):
        shown += f"<DEFAULT_GROUP_QUOTAS>{quotas.default(people)}</DEFAULT_GROUP_QUOTAS>"
    return Xml(escaped(f"<GROUP>{pools.group(profile, people, row)}{shown}</GROUP>"))


@method("grouppool.info", "")
def _groups(asked: Asked) -> Value:
    people, profile = asked.site.people, asked.site.profile
    used = quotas.used_by_groups(asked.site.machines.machines.values())
    rows = []
    for key in in_order(asked, people.groups):
        if _sees_group(asked, key):
            row = people.groups[key]
            shown = quotas.of_group(profile, row, used) if profile.since(3, 8) else ""
            # from 4.0 on they stand beside the group
            within, beside = ("", f"<QUOTAS><ID>{key}</ID>{shown}</QUOTAS>") if profile.since(4, 0) else (shown, "")
            rows.append(f"<GROUP>{pools.group(profile, people, row)}{within}</GROUP>{beside}")
    if profile.since(4, 0):
        rows.append(f"<DEFAULT_GROUP_QUOTAS>{quotas.default(people)}</DEFAULT_GROUP_QUOTAS>")
    return document("GROUP_POOL", rows)


def _sees_group(asked: Asked, key: int) -> bool:
    return key in asked.user.groups or asked.site.people.may_use(asked.user, "GROUP", key, -1, key)


@method("acl.info", "")
def _rules(asked: Asked) -> Value:
    rows = sorted(asked.site.people.rules.values(), key=lambda rule: (rule.user, rule.id))
    return document("ACL_POOL", [pools.rule(row) for row in rows])


def _on_hosts(asked: Asked) -> Dict[int, List[Machine]]:
    """Return the machines that each host carries; those of a fleet are too many to count."""
    carried: Dict[int, List[Machine]] = {}
    for _, machine in sorted(asked.site.machines.machines.items()):
        if machine.records and machine.state in (ACTIVE, SUSPENDED, POWEROFF):
            carried.setdefault(machine.last.hid, []).append(machine)
    return carried


@method("host.info", "i")
def _host(asked: Asked) -> Value:
    site = asked.site
    row = site.inventory.hosts.get(asked.arguments[0])
    if row is None:
        raise missing(asked, "host", asked.arguments[0])
    if not site.people.may_use(asked.user, "HOST", row.id, 0, 0, "600", row.cluster_id):
        raise forbidden(asked, "USE", "HOST", row.id)
    carried = _on_hosts(asked).get(row.id, [])
    return Xml(escaped(pools.host(site.profile, site.inventory, row, carried, site.machines.clock.now())))


@method("hostpool.info", "")
def _hosts(asked: Asked) -> Value:
    site, carried = asked.site, _on_hosts(asked)
    rows = []
    for key in in_order(asked, site.inventory.hosts):
        row = site.inventory.hosts[key]
        if site.people.may_use(asked.user, "HOST", key, 0, 0, "600", row.cluster_id):
            rows.append(pools.host(site.profile, site.inventory, row, carried.get(key, [])))
    return document("HOST_POOL", rows)


@method("clusterpool.info", "")
def _clusters(asked: Asked) -> Value:
    site = asked.site
    keys = [key for key in site.inventory.clusters if site.people.may_use(asked.user, "CLUSTER", key, 0, 0)]
    return document(
        "CLUSTER_POOL", [pools.cluster(site.inventory, site.inventory.clusters[key]) for key in in_order(asked, keys)]
    )


@method("cluster.info", "i")
def _cluster(asked: Asked) -> Value:
    site, key = asked.site, asked.arguments[0]
    if key not in site.inventory.clusters:
        raise missing(asked, "cluster", key)
    if not site.people.may_use(asked.user, "CLUSTER", key, 0, 0):
        raise forbidden(asked, "USE", "CLUSTER", key)
    return Xml(escaped(pools.cluster(site.inventory, site.inventory.clusters[key])))


@method("datastore.info", "i", "3.4")
def _datastore(asked: Asked) -> Value:
    site, key = asked.site, asked.arguments[0]
    if key not in site.inventory.datastores:
        raise missing(asked, "datastore", key)
    if not site.people.may_use(asked.user, "DATASTORE", key, 0, 0, "640"):
        raise forbidden(asked, "USE", "DATASTORE", key)
    return Xml(escaped(pools.datastore(site.inventory, site.inventory.datastores[key])))


@method("datastorepool.info", "", "3.4")
def _datastores(asked: Asked) -> Value:
    site = asked.site
    keys = [key for key in site.inventory.datastores if site.people.may_use(asked.user, "DATASTORE", key, 0, 0, "640")]
    stores = site.inventory.datastores
    return document("DATASTORE_POOL", [pools.datastore(site.inventory, stores[key]) for key in in_order(asked, keys)])


@method("zonepool.info", "", "4.6")
def _zones(asked: Asked) -> Value:
    zones = asked.site.inventory.zones
    return document("ZONE_POOL", [pools.zone(zones[key]) for key in in_order(asked, zones)])


def using_image(asked: Asked) -> Dict[int, List[int]]:
    """Return the machines that use each image."""
    users: Dict[int, List[int]] = {}
    for key, machine in sorted(asked.site.machines.machines.items()):
        if machine.state != DONE:
            for disk in vectors(machine.template, "DISK"):
                image = first(disk, "IMAGE_ID")
                if image is not None:
                    users.setdefault(int(image), []).append(key)
    return users


def _pool(asked: Asked, kind: str, rows: Dict[int, Any], write: Callable[[int], str]) -> List[str]:
    """Return the rows of a pool with filter, start and end, as this user may see them."""
    flag, start, end = asked.arguments[:3]
    check_filter(asked, flag)
    shown = []
    for key in window(asked, rows, start, end):
        row = rows[key]
        if wanted(asked.user, flag, row.uid, row.gid) and asked.site.people.may_use(
            asked.user, kind, key, row.uid, row.gid, row.permissions
        ):
            shown.append(write(key))
    return shown


def window(asked: Asked, keys: Iterable[int], start: int, end: int) -> List[int]:
    """Return the ids of a window, in the user's order: a range of ids, or a row offset when the end is below -1."""
    rows = in_order(asked, keys)
    if end < -1:
        return rows[max(start, 0) : max(start, 0) - end] if asked.site.profile.offset else []
    if start == -1:
        return rows
    return [key for key in rows if key >= start and (end == -1 or key <= end)]


@method("imagepool.info", "iii")
def _images(asked: Asked) -> Value:
    site, users = asked.site, using_image(asked)
    images = site.inventory.images

    def write(key: int) -> str:
        return pools.image(site.profile, site.people, site.inventory, images[key], users.get(key, []))

    return document("IMAGE_POOL", _pool(asked, "IMAGE", images, write))


@method("templatepool.info", "iii")
def _templates(asked: Asked) -> Value:
    templates, people = asked.site.inventory.templates, asked.site.people
    rows = _pool(asked, "TEMPLATE", templates, lambda key: pools.blueprint(people, templates[key]))
    return document("VMTEMPLATE_POOL", rows)


@method("template.info", "i")
def _template(asked: Asked) -> Value:
    row = asked.site.inventory.templates.get(asked.arguments[0])
    if row is None:
        raise missing(asked, "virtual machine template", asked.arguments[0])
    if not asked.site.people.may_use(asked.user, "TEMPLATE", row.id, row.uid, row.gid, row.permissions):
        raise forbidden(asked, "USE", "TEMPLATE", row.id)
    return Xml(escaped(pools.blueprint(asked.site.people, row)))


@method("documentpool.info", "iiii", "3.6")
def _documents(asked: Asked) -> Value:
    people = asked.site.people
    rows = {key: row for key, row in asked.site.inventory.documents.items() if row.type == asked.arguments[3]}
    shown = _pool(asked, "DOCUMENT", rows, lambda key: pools.document(people, rows[key]))
    return document("DOCUMENT_POOL", shown)


@method("vnpool.info", "iii")
def _networks(asked: Asked) -> Value:
    inventory = asked.site.inventory
    used: Dict[int, int] = {}
    for machine in asked.site.machines.machines.values():
        for nic in vectors(machine.template, "NIC") if machine.state != DONE else []:
            used[int(first(nic, "NETWORK_ID") or 0)] = used.get(int(first(nic, "NETWORK_ID") or 0), 0) + 1
    keys = window(asked, inventory.networks, asked.arguments[1], asked.arguments[2])
    return document("VNET_POOL", [pools.network(inventory, inventory.networks[key], used.get(key, 0)) for key in keys])
