"""How oned writes everything but machines: users, groups, rules, hosts, images and the rest, one element each."""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence

from tests.federation.opennebula.dump import permissions
from tests.federation.opennebula.inventory import (
    Blueprint,
    Cluster,
    Datastore,
    Host,
    Image,
    Inventory,
    Network,
    Zone,
)
from tests.federation.opennebula.machine import Machine
from tests.federation.opennebula.people import Group, People, Rule, User
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.template import cdata, first, merged, render

NO_QUOTAS = (
    "<DATASTORE_QUOTA></DATASTORE_QUOTA><NETWORK_QUOTA></NETWORK_QUOTA><VM_QUOTA></VM_QUOTA><IMAGE_QUOTA></IMAGE_QUOTA>"
)


def ids(name: str, keys: Iterable[int]) -> str:
    """Return an element of ids."""
    return f"<{name}>{''.join(f'<ID>{key}</ID>' for key in keys)}</{name}>"


def user(profile: Profile, people: People, row: User) -> str:
    """Return what stands inside of USER, quotas apart."""
    groups = ids("GROUPS", sorted(row.groups)) if profile.since(3, 4) else ""
    tokens = "".join(
        f"<LOGIN_TOKEN><TOKEN>{token}</TOKEN><EXPIRATION_TIME>{end}</EXPIRATION_TIME><EGID>{group}</EGID></LOGIN_TOKEN>"
        for token, end, group in row.tokens
    )
    return (
        f"<ID>{row.id}</ID><GID>{row.gid}</GID>{groups}<GNAME>{people.group_name(row.gid)}</GNAME>"
        f"<NAME>{row.name}</NAME><PASSWORD>{cdata(row.password)}</PASSWORD>"
        f"<AUTH_DRIVER>{cdata(row.driver)}</AUTH_DRIVER><ENABLED>{int(row.enabled)}</ENABLED>{tokens}"
        f"<TEMPLATE>{render(row.template)}</TEMPLATE>"
    )


def group(profile: Profile, people: People, row: Group) -> str:
    """Return what stands inside of GROUP, quotas apart."""
    members = sorted(user.id for user in people.users.values() if row.id in user.groups)
    template = f"<TEMPLATE>{render(row.template)}</TEMPLATE>" if profile.since(4, 4) else ""
    admins = "<ADMINS></ADMINS>" if profile.since(4, 8) else ""
    return f"<ID>{row.id}</ID><NAME>{row.name}</NAME>{template}{ids('USERS', members)}{admins}"


def rule(row: Rule) -> str:
    """Return one ACL."""
    return (
        f"<ACL><ID>{row.id}</ID><USER>{row.user:x}</USER><RESOURCE>{row.resource:x}</RESOURCE>"
        f"<RIGHTS>{row.rights:x}</RIGHTS><ZONE>{row.zone:x}</ZONE><STRING>{row.text()}</STRING></ACL>"
    )


def host(
    profile: Profile, inventory: Inventory, row: Host, machines: Sequence[Machine], seen: Optional[int] = None
) -> str:
    """Return one HOST with the machines that are on it; ``seen``: with what the monitor saw at that instant."""
    cpu = sum(int(100 * float(first(machine.template, "CPU") or 0) + 0.5) for machine in machines)
    memory = sum(1024 * int(first(machine.template, "MEMORY") or 0) for machine in machines)
    up = row.state in (1, 2, 3)
    maximum = (row.memory - row.reserved_memory, row.cpu - row.reserved_cpu) if up else (0, 0)
    total = (row.memory, row.cpu) if up else (0, 0)
    share = f"<MEM_USAGE>{memory}</MEM_USAGE><CPU_USAGE>{cpu}</CPU_USAGE>"
    if profile.since(5, 4):
        share += f"<TOTAL_MEM>{total[0]}</TOTAL_MEM><TOTAL_CPU>{total[1]}</TOTAL_CPU>"
    share += f"<MAX_MEM>{maximum[0]}</MAX_MEM><MAX_CPU>{maximum[1]}</MAX_CPU>"
    if not profile.since(5, 12):
        share += f"<FREE_MEM>{maximum[0] - memory}</FREE_MEM><FREE_CPU>{maximum[1] - cpu}</FREE_CPU>"
        share += f"<USED_MEM>{memory}</USED_MEM><USED_CPU>{cpu}</USED_CPU>"
    share += f"<RUNNING_VMS>{len(machines)}</RUNNING_VMS>"
    if profile.since(5, 10):
        share += "<VMS_THREAD>1</VMS_THREAD>"
    share += "<DATASTORES></DATASTORES>" if profile.since(4, 4) else ""
    share += "<PCI_DEVICES></PCI_DEVICES>" if profile.since(4, 14) else ""
    share += "<NUMA_NODES></NUMA_NODES>" if profile.since(5, 10) else ""
    monitored = ""
    if profile.since(5, 12):
        monitored = "<MONITORING/>"
        if seen is not None and up:
            free = [("FREE_CPU", maximum[1] - cpu), ("FREE_MEMORY", maximum[0] - memory)]
            used = [("USED_CPU", cpu), ("USED_MEMORY", memory)]
            capacity = render([(name, str(value)) for name, value in free + used])
            seen_by = f"<TIMESTAMP>{seen}</TIMESTAMP><ID>{row.id}</ID>"
            monitored = f"<MONITORING>{seen_by}<CAPACITY>{capacity}</CAPACITY></MONITORING>"
    cluster = inventory.clusters.get(row.cluster_id)
    im_mad, vm_mad = ("", "") if profile.since(4, 0) else ("im_", "vmm_")
    drivers = f"<IM_MAD>{cdata(im_mad + row.hypervisor)}</IM_MAD><VM_MAD>{cdata(vm_mad + row.hypervisor)}</VM_MAD>"
    about = [("HOSTNAME", row.name), ("HYPERVISOR", row.hypervisor), ("ARCH", "x86_64")]
    # a host that was never up has told nothing of itself
    shown = merged(about if row.state else [], row.template)
    previous = f"<PREV_STATE>{row.state}</PREV_STATE>" if profile.since(5, 0) else ""
    return (
        f"<HOST><ID>{row.id}</ID><NAME>{row.name}</NAME><STATE>{row.state}</STATE>{previous}{drivers}"
        f"<CLUSTER_ID>{row.cluster_id}</CLUSTER_ID><CLUSTER>{cluster.name if cluster else ''}</CLUSTER>"
        f"<HOST_SHARE>{share}</HOST_SHARE>{ids('VMS', [machine.id for machine in machines])}"
        f"<TEMPLATE>{render(shown)}</TEMPLATE>{monitored}</HOST>"
    )


def cluster(inventory: Inventory, row: Cluster) -> str:
    """Return one CLUSTER."""
    hosts = [key for key, one in sorted(inventory.hosts.items()) if one.cluster_id == row.id]
    return (
        f"<CLUSTER><ID>{row.id}</ID><NAME>{row.name}</NAME>{ids('HOSTS', hosts)}"
        f"{ids('DATASTORES', sorted(inventory.datastores))}{ids('VNETS', sorted(inventory.networks))}"
        f"<TEMPLATE>{render(row.template)}</TEMPLATE></CLUSTER>"
    )


def image(profile: Profile, people: People, inventory: Inventory, row: Image, machines: List[int]) -> str:
    """Return one IMAGE with the machines that use it."""
    store = inventory.datastores.get(row.datastore_id)
    state = 2 if machines and row.state == 1 else row.state
    template = [*row.template, ("ERROR", row.error)] if row.error else row.template
    previous = f"<PREV_STATE>{state}</PREV_STATE>" if profile.since(5, 0) else ""
    where = (
        f"<DATASTORE_ID>{row.datastore_id}</DATASTORE_ID><DATASTORE>{store.name if store else ''}</DATASTORE>"
        if profile.since(3, 4)
        else ""
    )
    lock = f"<LOCK>{row.lock}</LOCK>" if row.lock and profile.since(5, 2) else ""
    clones = "<CLONES></CLONES>" + ("<APP_CLONES></APP_CLONES>" if profile.since(5, 0) else "")
    return (
        f"<IMAGE>{_owned(people, row.id, row.uid, row.gid, row.name)}{lock}{permissions(row.permissions)}"
        f"<TYPE>{row.type}</TYPE><DISK_TYPE>0</DISK_TYPE><PERSISTENT>{row.persistent}</PERSISTENT>"
        f"<REGTIME>{row.regtime}</REGTIME><SOURCE>{cdata(row.source)}</SOURCE><PATH>{cdata(row.path)}</PATH>"
        + (f"<FORMAT>{cdata(row.format)}</FORMAT><FS><![CDATA[]]></FS>" if profile.since(6, 0) else "<FSTYPE></FSTYPE>")
        + f"<SIZE>{row.size}</SIZE><STATE>{state}</STATE>{previous}<RUNNING_VMS>{len(machines)}</RUNNING_VMS>"
        f"<CLONING_OPS>0</CLONING_OPS><CLONING_ID>-1</CLONING_ID><TARGET_SNAPSHOT>-1</TARGET_SNAPSHOT>{where}"
        f"{ids('VMS', machines)}{clones}<TEMPLATE>{render(template)}</TEMPLATE>"
        "<SNAPSHOTS><ALLOW_ORPHANS><![CDATA[NO]]></ALLOW_ORPHANS><CURRENT_BASE><![CDATA[-1]]></CURRENT_BASE>"
        "<NEXT_SNAPSHOT><![CDATA[0]]></NEXT_SNAPSHOT></SNAPSHOTS>"
        + ("<BACKUP_INCREMENTS></BACKUP_INCREMENTS><BACKUP_DISK_IDS></BACKUP_DISK_IDS>" if profile.since(6, 6) else "")
        + "</IMAGE>"
    )


def blueprint(people: People, row: Blueprint) -> str:
    """Return one VMTEMPLATE."""
    return (
        f"<VMTEMPLATE>{_owned(people, row.id, row.uid, row.gid, row.name)}{permissions(row.permissions)}"
        f"<REGTIME>{row.regtime}</REGTIME><TEMPLATE>{render(row.template)}</TEMPLATE></VMTEMPLATE>"
    )


def document(people: People, row: Blueprint) -> str:
    """Return one DOCUMENT."""
    return (
        f"<DOCUMENT>{_owned(people, row.id, row.uid, row.gid, row.name)}<TYPE>{row.type}</TYPE>"
        f"{permissions(row.permissions)}<TEMPLATE>{render(row.template)}</TEMPLATE></DOCUMENT>"
    )


def datastore(inventory: Inventory, row: Datastore) -> str:
    """Return one DATASTORE."""
    images = [key for key, one in sorted(inventory.images.items()) if one.datastore_id == row.id]
    kind = {0: "IMAGE_DS", 1: "SYSTEM_DS", 2: "FILE_DS"}[row.type]
    shown = [*row.template, ("TYPE", kind), ("TM_MAD", "ssh")]
    return (
        f"<DATASTORE><ID>{row.id}</ID><UID>0</UID><GID>0</GID><UNAME>oneadmin</UNAME><GNAME>oneadmin</GNAME>"
        f"<NAME>{row.name}</NAME>{permissions('640')}<DS_MAD>{cdata('-' if row.type == 1 else 'fs')}</DS_MAD>"
        f"<TM_MAD><![CDATA[ssh]]></TM_MAD><BASE_PATH>{cdata(f'/var/lib/one//datastores/{row.id}')}</BASE_PATH>"
        f"<TYPE>{row.type}</TYPE><DISK_TYPE>0</DISK_TYPE><STATE>0</STATE>"
        f"{ids('CLUSTERS', sorted(inventory.clusters))}<TOTAL_MB>{row.total}</TOTAL_MB><FREE_MB>{row.free}</FREE_MB>"
        f"<USED_MB>{row.used}</USED_MB>{ids('IMAGES', images)}<TEMPLATE>{render(shown)}</TEMPLATE></DATASTORE>"
    )


def network(inventory: Inventory, row: Network, leases: int) -> str:
    """Return one VNET."""
    plain: Dict[str, str] = {name: value for name, value in row.template if isinstance(value, str)}
    addresses = [("AR_ID", "0"), ("IP", row.address), ("SIZE", str(row.size)), ("TYPE", "IP4")]
    return (
        f"<VNET><ID>{row.id}</ID><UID>0</UID><GID>0</GID><UNAME>oneadmin</UNAME><GNAME>oneadmin</GNAME>"
        f"<NAME>{row.name}</NAME>{permissions('644')}{ids('CLUSTERS', sorted(inventory.clusters))}"
        f"<BRIDGE>{cdata(plain.get('BRIDGE', ''))}</BRIDGE><USED_LEASES>{leases}</USED_LEASES><VROUTERS></VROUTERS>"
        f"<TEMPLATE>{render(row.template)}</TEMPLATE><AR_POOL><AR>{render(addresses)}</AR></AR_POOL></VNET>"
    )


def zone(row: Zone) -> str:
    """Return one ZONE."""
    return (
        f"<ZONE><ID>{row.id}</ID><NAME>{row.name}</NAME><STATE>0</STATE>"
        f"<TEMPLATE><ENDPOINT>{cdata(row.endpoint)}</ENDPOINT></TEMPLATE><SERVER_POOL></SERVER_POOL></ZONE>"
    )


def _owned(people: People, key: int, uid: int, gid: int, name: str) -> str:
    return (
        f"<ID>{key}</ID><UID>{uid}</UID><GID>{gid}</GID><UNAME>{people.user_name(uid)}</UNAME>"
        f"<GNAME>{people.group_name(gid)}</GNAME><NAME>{name}</NAME>"
    )
