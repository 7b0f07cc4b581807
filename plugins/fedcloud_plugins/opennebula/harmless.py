"""What of oned's answers says nothing of a site: elements, sizes, states, times, and ids that are counted up.

Ids of machines, users, groups and hosts stay what they are: they are small numbers, and the windows of a listing hang
on them. Names never stay, nor what users write into templates.
"""

from __future__ import annotations

from fedcloud_agent.clouds.harmless import Harmless

_NUMBERS = frozenset(
    (
        "ACTION ALIAS_ID ALIAS_IDS AR_ID BENCHMARK_VALUE boolean CID CLONING_ID CLONING_OPS CLUSTER_ID CPU "
        "CPU_USAGE CPU_USED DATASTORE_ID DISK_ID DISK_SNAPSHOT_TOTAL_SIZE DISK_USAGE DISKRDBYTES DISKRDIOPS "
        "DISKWRBYTES DISKWRIOPS double DS_ID EGID ENABLED faultCode FREE_CPU FREE_DISK FREE_MB FREE_MEM FREE_MEMORY "
        "GID GROUP_A GROUP_M GROUP_U HID i4 i8 ID IMAGE_ID IMAGE_STATE int LCM_STATE LEASES MAX_CPU MAX_DISK "
        "MAX_MEM MEM_USAGE MEMORY MEMORY_USED NET_RX NET_TX NETRX NETTX NETWORK_ID NEXT_SNAPSHOT NIC_ID OID "
        "ORIGINAL_SIZE OTHER_A OTHER_M OTHER_U OWNER_A OWNER_M OWNER_U PARENT_ID PERSISTENT PLAN_ID PREV_LCM_STATE "
        "PREV_STATE REASON REQUEST_ID RESCHED RESERVED_CPU RESERVED_MEM RESOURCE RIGHTS RUNNING_VMS RVMS SEQ SIZE "
        "SNAPSHOT_ID STATE string SYSTEM_DISK_SIZE TEMPLATE_ID TOTAL_CPU TOTAL_MB TOTAL_MEM TYPE UID USED_CPU "
        "USED_DISK USED_MB USED_MEM USED_MEMORY USER VCPU VMID VMS ZONE"
    ).split()
)
_INSTANTS = frozenset(
    (
        "EETIME ESTIME ETIME EXPIRATION_TIME LAST_MON_TIME LAST_POLL PETIME PSTIME REGTIME RETIME RSTIME STIME TIME "
        "TIMESTAMP"
    ).split()
)
_STATES = frozenset(
    (
        "AUTH_DRIVER CLONE CLONE_TARGET DEV_PREFIX DISK_TYPE DRIVER DS_MAD FORMAT IM_MAD LN_TARGET "
        "PERSISTENT READONLY SAVE SHARED TM_MAD TM_MAD_SYSTEM TMMAD TYPE VM_MAD VMMMAD VN_MAD"
    ).split()
)
_PROSE = frozenset("ERROR faultString string".split())
_SECRETS = frozenset("LOGIN_TOKEN.TOKEN TOKEN TOKEN_PASSWORD".split())
# users write what they like into these
_CLOSED = frozenset("CONTEXT DESCRIPTION GRAPHICS LABELS SCHED_REQUIREMENTS SSH_PUBLIC_KEY USER_TEMPLATE".split())
_NAMES = frozenset(
    (
        "ACL ACL_POOL ADMINS ALLOW_ORPHANS APEL_SITE_NAME APP_CLONES ARCH array AUTOMATIC_DS_REQUIREMENTS "
        "AUTOMATIC_NIC_REQUIREMENTS AUTOMATIC_REQUIREMENTS BACKUPS BASE_PATH BENCHMARK_TYPE BRIDGE BRIDGE_TYPE "
        "CAPACITY CLONES CLOUDKEEPER_APPLIANCE_ATTRIBUTES CLOUDKEEPER_APPLIANCE_ID CLOUDKEEPER_APPLIANCE_MPURI "
        "CLOUDKEEPER_APPLIANCE_TITLE CLOUDKEEPER_APPLIANCE_VO CLOUDKEEPER_EXPIRED CLUSTER CLUSTER_POOL CLUSTERS "
        "CONTEXT data DATASTORE DATASTORE_POOL DATASTORE_QUOTA DATASTORES DEFAULT_GROUP_QUOTAS DEFAULT_USER_QUOTAS "
        "DEPLOY_ID DESCRIPTION DISK EMAIL ENDPOINT ERROR EXTERNAL_IP fault faultString FEDCLOUD_AGENT FS GNAME "
        "GRAPHICS GROUP GROUP_POOL GROUPS HISTORY HISTORY_RECORDS HOST HOST_POOL HOST_SHARE HOSTNAME HOSTS "
        "HYPERVISOR IDENTITY IMAGE IMAGE_POOL IMAGE_QUOTA IMAGES IP IP6 IP6_GLOBAL IP6_LINK IP6_ULA LABELS LOCK "
        "LOCKED LOGIN_TOKEN MAC MARKETPLACE member methodCall methodName methodResponse MONITORING MONITORING_DATA "
        "NAME name NETWORK NETWORK_QUOTA NIC NIC_ALIAS nil OCCI_COMPUTE_MIXINS OCCI_ID OCCI_MIXIN OS OWNER param "
        "params PARENT PASSWORD PATH PERMISSIONS QUOTAS SCHED_ACTIONS SCHED_REQUIREMENTS SECURITY_GROUPS "
        "SERVER_POOL SNAPSHOT SNAPSHOTS SOURCE SSH_PUBLIC_KEY STRING struct SYSTEM TARGET TEMPLATE TOKEN "
        "TOKEN_PASSWORD UNAME USER_IDENTITY USER_POOL USER_TEMPLATE USER_X509_DN USERS UUID value VLAN_ID VM "
        "VM_POOL VM_QUOTA VMCATCHER_EVENT_AD_MPURI VMCATCHER_EVENT_DC_IDENTIFIER VMTEMPLATE VMTEMPLATE_POOL VNET "
        "VNET_POOL VNETS VO X509_DN ZONE_POOL"
    ).split()
)
_VALUES = frozenset(
    (
        "ALL CDROM DATABLOCK default FILE HEP-SPEC06 HEPscore23 HEPSPEC06 NO no NONE oneadmin OS private public "
        "SELF serveradmin Si2k SYSTEM users YES yes"
    ).split()
)
_METHODS = frozenset(
    f"one.{name}"
    for name in (
        "acl.info cluster.info clusterpool.info datastore.info datastorepool.info documentpool.info group.info "
        "grouppool.info host.info hostpool.info image.info imagepool.info system.config system.version template.info "
        "templatepool.info user.info user.login userpool.info vm.info vm.monitoring vmpool.accounting vmpool.info "
        "vmpool.infoextended vmpool.infoset vmpool.monitoring vnpool.info zonepool.info"
    ).split()
)


def harmless() -> Harmless:
    """Return what may stay in a recording of an OpenNebula cloud, of whatever release."""
    return Harmless(
        words=_NAMES | _VALUES | _METHODS | _NUMBERS | _INSTANTS | _STATES | _CLOSED,
        numbers=_NUMBERS,
        instants=_INSTANTS,
        states=_STATES,
        prose=_PROSE,
        secrets=_SECRETS,
        closed=_CLOSED,
        session=True,
    )
