"""What each service is told: sections of options, and how they become a file. Whatever is not here is Debian's default.

Everything that repeats itself by time (audits, power states, usage of resources) is off: the lab does what it is told,
when it is told.
"""

from __future__ import annotations

from typing import Dict, Mapping

from tests.openstack_lab.layout import HOST, REGION, Layout

Options = Mapping[str, object]
Sections = Dict[str, Options]


def render(sections: Mapping[str, Options]) -> str:
    """Return the text of an oslo configuration file, or of MariaDB's."""
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines += [
            f"{key} = {str(value).lower() if isinstance(value, bool) else value}" for key, value in options.items()
        ]
    return "\n".join(lines) + "\n"


def database(layout: Layout, name: str) -> Options:
    return {"connection": f"mysql+pymysql://lab:{layout.password}@{HOST}:{layout.ports['mariadb']}/{name}"}


def login(layout: Layout, user: str) -> Options:
    """Return how a service logs in to keystone to call another one."""
    return {
        "auth_type": "password",
        "auth_url": layout.identity,
        "username": user,
        "password": layout.password,
        "user_domain_id": "default",
        "project_name": "service",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def guarded(layout: Layout, user: str) -> Sections:
    """Return how a service checks the tokens of those who call it."""
    return {"keystone_authtoken": {"www_authenticate_uri": layout.identity, **login(layout, user)}}


def messaging(layout: Layout) -> Options:
    return {"transport_url": f"rabbit://guest:guest@{HOST}:{layout.ports['rabbitmq']}/"}


def mariadb(layout: Layout) -> Sections:
    # a lab's data may be lost with the machine: nothing waits for the disk
    return {
        "mysqld": {
            "datadir": layout.root / "mariadb" / "data",
            "socket": layout.root / "mariadb" / "sock",
            "pid-file": layout.root / "mariadb" / "pid",
            "bind-address": HOST,
            "port": layout.ports["mariadb"],
            "skip-name-resolve": 1,
            "skip-log-bin": 1,
            "innodb_flush_log_at_trx_commit": 0,
            "innodb_doublewrite": 0,
            "innodb_flush_method": "nosync",
            "innodb_buffer_pool_size": "128M",
            "max_connections": 300,
            "performance_schema": "OFF",
        }
    }


def rabbitmq(layout: Layout) -> str:
    return "\n".join(
        (
            f"listeners.tcp.local = {HOST}:{layout.ports['rabbitmq']}",
            "vm_memory_high_watermark.absolute = 400MB",
            "disk_free_limit.absolute = 20MB",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "",
        )
    )


def keystone(layout: Layout) -> Sections:
    keys = layout.directory("keystone", "keys")
    return {
        "DEFAULT": {"public_endpoint": layout.url("keystone"), **messaging(layout)},
        "database": database(layout, "keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": keys},
        "fernet_receipts": {"key_repository": keys},
        "credential": {"key_repository": layout.directory("keystone", "credentials")},
        "identity": {"password_hash_rounds": 4},
    }


def placement(layout: Layout) -> Sections:
    return {"placement_database": database(layout, "placement"), **guarded(layout, "placement")}


def glance(layout: Layout) -> Sections:
    return {
        "DEFAULT": {
            "bind_host": HOST,
            "bind_port": layout.ports["glance"],
            "workers": 0,
            "enabled_backends": "disk:file",
            "node_staging_uri": f"file://{layout.directory('glance', 'staging')}",
            **messaging(layout),
        },
        "glance_store": {"default_backend": "disk"},
        "disk": {"filesystem_store_datadir": layout.directory("glance", "images")},
        "os_glance_staging_store": {"filesystem_store_datadir": layout.directory("glance", "staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": layout.directory("glance", "tasks")},
        "database": database(layout, "glance"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": layout.unpacked / "glance-common/usr/share/glance-common/glance-api-paste.ini",
        },
        **guarded(layout, "glance"),
    }


def neutron(layout: Layout) -> Sections:
    return {
        "DEFAULT": {
            "bind_host": HOST,
            "bind_port": layout.ports["neutron"],
            "state_path": layout.directory("neutron"),
            "api_paste_config": layout.unpacked / "neutron-common/usr/share/neutron-common/api-paste.ini",
            "core_plugin": "ml2",
            "service_plugins": "router",
            "api_workers": 0,
            "rpc_workers": 0,
            "rpc_state_report_workers": 0,
            # nova learns of floating addresses by this, and waits for no port to be wired
            "notify_nova_on_port_status_changes": False,
            "notify_nova_on_port_data_changes": True,
            "dhcp_agent_notification": False,
            **messaging(layout),
        },
        "ml2": {"type_drivers": "local,flat", "tenant_network_types": "local", "mechanism_drivers": "anywhere"},
        "ml2_type_flat": {"flat_networks": "*"},
        "database": database(layout, "neutron"),
        "oslo_concurrency": {"lock_path": layout.directory("neutron", "lock")},
        "nova": login(layout, "nova"),
        **guarded(layout, "neutron"),
    }


def nova(layout: Layout) -> Sections:
    """Return what nova's services share; its compute service is told all but the databases, as on a real site."""
    return {
        "DEFAULT": {
            "my_ip": HOST,
            "host": "lab",
            "state_path": layout.directory("nova"),
            "enabled_apis": "osapi_compute",
            "osapi_compute_listen": HOST,
            "osapi_compute_listen_port": layout.ports["nova"],
            "osapi_compute_workers": 1,
            "compute_driver": "fake.FakeDriver",
            "allow_resize_to_same_host": True,
            "cpu_allocation_ratio": 64,
            "ram_allocation_ratio": 64,
            "disk_allocation_ratio": 64,
            "reserved_host_memory_mb": 0,
            "sync_power_state_interval": -1,
            "heal_instance_info_cache_interval": -1,
            "update_resources_interval": 600,
            "shelved_offload_time": -1,
            **messaging(layout),
        },
        "api_database": database(layout, "nova_api"),
        "database": database(layout, "nova"),
        "wsgi": {"api_paste_config": layout.unpacked / "nova-common/usr/share/nova-common/api-paste.ini"},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1},
        "filter_scheduler": {"enabled_filters": "ComputeFilter"},
        "quota": {"instances": -1, "cores": -1, "ram": -1},
        "vnc": {"enabled": False},
        "key_manager": {"backend": "nova.keymgr.conf_key_mgr.ConfKeyManager"},
        "oslo_concurrency": {"lock_path": layout.directory("nova", "lock")},
        "placement": login(layout, "placement"),
        "neutron": login(layout, "neutron"),
        "glance": {"region_name": REGION, "api_servers": layout.url("glance")},
        **guarded(layout, "nova"),
    }


def compute(layout: Layout) -> Sections:
    return {name: options for name, options in nova(layout).items() if name not in ("database", "api_database")}
