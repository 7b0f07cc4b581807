"""What of an OpenStack cloud's answers says nothing of a site: the words of its services, sizes, states and times."""

from __future__ import annotations

from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_plugins.openstack.mapping import STATUS
from fedcloud_plugins.openstack.settings import OpenStackSettings

_NUMBERS = frozenset(
    "OS-EXT-SRV-ATTR:launch_index OS-EXT-STS:power_state OS-FLV-EXT-DATA:ephemeral all_tenants code disk "
    "ephemeral "
    "limit min_disk min_ram min_version progress ram rxtx_factor size swap vcpus version virtual_size".split()
)
_INSTANTS = frozenset(
    "OS-SRV-USG:launched_at OS-SRV-USG:terminated_at changes-before changes-since created created_at ended_at "
    "expires_at finish_time issued_at password_expires_at start_time started_at updated updated_at".split()
)
_STATES = frozenset(
    "OS-DCF:diskConfig OS-EXT-IPS:type OS-EXT-STS:task_state OS-EXT-STS:vm_state action container_format "
    "disk_format "
    "host_status interface methods rel status visibility".split()
)
_PLACES = frozenset("base bookmark file first href last next previous schema self url".split())
_PROSE = frozenset("body center error_message h1 message p pre reason title".split())
_SECRETS = frozenset("access_token adminPass password secret token.id".split())
# users write what they like into these
_CLOSED = frozenset("OS-EXT-SRV-ATTR:user_data description metadata options properties tags user_data".split())

_KEYS = (
    "OS-EXT-AZ:availability_zone OS-EXT-IPS-MAC:mac_addr OS-EXT-SRV-ATTR:host OS-EXT-SRV-ATTR:hostname "
    "OS-EXT-SRV-ATTR:hypervisor_hostname OS-EXT-SRV-ATTR:instance_name OS-EXT-SRV-ATTR:kernel_id "
    "OS-EXT-SRV-ATTR:ramdisk_id OS-EXT-SRV-ATTR:reservation_id OS-EXT-SRV-ATTR:root_device_name "
    "OS-FLV-DISABLED:disabled accessIPv4 accessIPv6 addr addresses application_credential "
    "application_credential_id audit_ids auth badRequest catalog checksum computeFault config_drive "
    "conflictingRequest default_project_id deleted delete_on_termination details domain domain_id domains "
    "email enabled endpoints error events extra extra_specs fault federated flavor flavor_id flavors "
    "flavors_links forbidden hostId id identity identity_provider identity_providers idp_id image image_id "
    "image_type images immutable instanceActions instance_uuid is_domain is_public itemNotFound key_name links "
    "locked locked_reason marker media-types name notImplemented original_name "
    "os-extended-volumes:volumes_attached os-flavor-access:is_public os_distro os_hash_algo os_hash_value "
    "os_hidden os_type os_version overLimit owner parent_id project project_id projects protected protocol "
    "protocol_id protocols region region_id request_id role roles scope security_groups server server_groups "
    "servers servers_links serviceUnavailable service_id stores system tenant tenant_id token truncated "
    "trusted_image_certificates type unauthorized unique_id user user_domain_id user_id users values versions "
    "volumes"
).split()
_PROPERTIES = (
    "VO accounting:VO accounting:benchmark_type accounting:benchmark_value egi.eu:VO os_distro os_version "
    "vmcatcher_event_ad_mpuri vmcatcher_event_dc_identifier ad:mpuri ad:appid"
).split()
_VALUES = (
    "ACTIVE CURRENT DEPRECATED EXPERIMENTAL HEP-SPEC06 HEPSPEC06 HEPscore23 None SUPPORTED Si2k True False "
    "UNKNOWN active admin admin_required all baremetal block-storage cloudformation compute compute_legacy "
    "container default Default dns dn external false federation fixed floating global glance identity image "
    "instance ipv4 ipv6 key-manager keystone load-balancer manager member metering mapped network none nova "
    "null object-store oidc openid orchestration placement private public reader sha512 self service snapshot "
    "true unknown v2 v3 volume volumev2 volumev3 application/json "
    "application/vnd.openstack.compute+json;version=2.1 attribute name unique_id unscoped"
).split()
_PATHS = "OS-FEDERATION detail os-extra_specs os-instance-actions tokens auth placement volume".split()
_MARKUP = "html head title style script center hr br div pre h1 h2 p body meta lang en doctype".split()


def harmless(settings: OpenStackSettings) -> Harmless:
    """Return what may stay in a recording of a cloud with these settings."""
    numbers = _NUMBERS | {settings.flavor_benchmark_value}
    words = {*_KEYS, *_PROPERTIES, *_VALUES, *_PATHS, *_MARKUP, *STATUS}
    for names in (_NUMBERS, _INSTANTS, _STATES, _PLACES, _PROSE, _CLOSED, _SECRETS):
        words.update(names)
    return Harmless(
        words=frozenset(words),
        numbers=numbers,
        instants=_INSTANTS,
        states=_STATES,
        places=_PLACES,
        prose=_PROSE,
        secrets=_SECRETS,
        closed=_CLOSED,
    )
