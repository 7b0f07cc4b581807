"""Bring the services up in the order in which they need each other, and take them down."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Callable, Dict, List, Optional, Sequence, Type

import requests

from tests.openstack_lab import packages, settings
from tests.openstack_lab.layout import APIS, HOST, REGION, Layout
from tests.openstack_lab.person import Person
from tests.openstack_lab.servers import Daemon, Epmd, MariaDB, RabbitMQ, Service, Wsgi, once, program

_CATALOGUE = {
    "placement": ("placement", ""),
    "glance": ("image", ""),
    "neutron": ("network", ""),
    "nova": ("compute", "/v2.1"),
}


class Lab:
    """A running OpenStack. Use it as a context manager; ``directory`` is left to whoever made it."""

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory)
        self.database = MariaDB(self.layout)
        keystone = {"OS_KEYSTONE_CONFIG_FILES": str(self.layout.configuration("keystone"))}
        placement = {"OS_PLACEMENT_CONFIG_DIR": str(self.layout.directory("etc", "placement"))}
        services: List[Service] = [
            self.database,
            Epmd(self.layout),
            RabbitMQ(self.layout),
            Wsgi(self.layout, "keystone", "/usr/bin/keystone-wsgi-public", 2, keystone),
            Wsgi(self.layout, "placement", "/usr/bin/placement-api", 1, placement),
            Daemon(self.layout, "glance-api", "glance.cmd.api", "glance", "glance"),
            Daemon(self.layout, "neutron-server", "neutron.cmd.eventlet.server", "neutron", "neutron"),
            Daemon(self.layout, "nova-conductor", "nova.cmd.conductor", "nova"),
            Daemon(self.layout, "nova-scheduler", "nova.cmd.scheduler", "nova"),
            Daemon(self.layout, "nova-compute", "nova.cmd.compute", "compute"),
            Daemon(self.layout, "nova-api", "nova.cmd.api", "nova", "nova"),
        ]
        self.services: Dict[str, Service] = {service.name: service for service in services}
        # a server dies with the thread that started it, so these threads live as long as the lab
        self._threads = ThreadPoolExecutor(16)

    def __enter__(self) -> Lab:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every service. Nothing is worth a graceful end: its data goes too."""
        for service in reversed(list(self.services.values())):
            service.kill()
        self._threads.shutdown()

    def person(self, name: str, project: Optional[str] = None) -> Person:
        """Return someone who is logged in to the cloud; without a project, to the whole system."""
        return Person(self.layout, name, project)

    @property
    def administrator(self) -> Person:
        return self.person("admin", "admin")

    def manage_nova(self, name: str, *words: str, good: Sequence[int] = (0,)) -> None:
        """Run nova-manage, as the cloud's operators do."""
        command = [*program("nova.cmd.manage", "nova-manage"), "--config-file", str(self.layout.configuration("nova"))]
        once(self.layout, name, [*command, *words], good)

    def archive(self) -> None:
        """Move deleted servers out of nova's sight; the program ends with 1 when it did move some."""
        self.manage_nova("archive", "db", "archive_deleted_rows", "--until-complete", "--all-cells", good=(0, 1))

    def start(self, *names: str) -> None:
        """Start services at once and wait until all are ready."""
        _all([self._threads.submit(self.services[name].start) for name in names])

    def _start(self) -> None:
        packages.unpack(self.layout.unpacked)
        for name in ("keystone", "placement", "glance", "neutron", "nova", "compute"):
            make: Callable[[Layout], settings.Sections] = getattr(settings, name)
            self.layout.configuration(name).write_text(settings.render(make(self.layout)))
        self._teach_neutron()
        self.start("epmd", "mariadb")
        self.database.create()
        broker = self._threads.submit(self.services["rabbitmq"].start)
        _all([self._threads.submit(step) for step in (self._identity, self._nova_databases)])
        broker.result()
        self.start("nova-conductor", "nova-scheduler", "placement", "glance-api", "neutron-server")
        self.start("nova-compute", "nova-api")
        self.await_heartbeats("nova-conductor", "nova-scheduler", "nova-compute")
        self.manage_nova("discover-hosts", "cell_v2", "discover_hosts")

    def _teach_neutron(self) -> None:
        """Make the network driver known as a package would: neutron finds drivers by entry points."""
        directory = self.layout.directory("python")
        shutil.copy(Path(__file__).with_name("anywhere.py"), directory)
        described = self.layout.directory("python", "anywhere-1.dist-info")
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: anywhere\nVersion: 1\n")
        (described / "entry_points.txt").write_text("[neutron.ml2.mechanism_drivers]\nanywhere = anywhere:Anywhere\n")

    def _identity(self) -> None:
        """Bring up keystone with the accounts of the other services, then make two more databases."""
        layout = self.layout
        manage = ["/usr/bin/keystone-manage", "--config-file", str(layout.configuration("keystone"))]
        owner = ["--keystone-user", str(layout.root.stat().st_uid), "--keystone-group", str(layout.root.stat().st_gid)]
        once(layout, "keystone-sync", [*manage, "db_sync"])
        once(layout, "keystone-keys", [*manage, "fernet_setup", *owner])
        once(layout, "keystone-credentials", [*manage, "credential_setup", *owner])
        words = ["--bootstrap-region-id", REGION, "--bootstrap-password", layout.password]
        for interface in ("public", "internal", "admin"):
            words += [f"--bootstrap-{interface}-url", layout.identity]
        once(layout, "keystone-bootstrap", [*manage, "bootstrap", *words])
        self.start("keystone")
        self._register()
        sync = ["--config-file", str(layout.configuration("glance")), "db", "sync"]
        once(layout, "glance-sync", [*program("glance.cmd.manage", "glance-manage"), *sync])
        sync = ["--config-file", str(layout.configuration("placement")), "db", "sync"]
        once(layout, "placement-sync", ["/usr/bin/placement-manage", *sync])
        sync = ["--config-file", str(layout.configuration("neutron")), "upgrade", "heads"]
        once(layout, "neutron-sync", [*program("neutron.db.migration.cli", "neutron-db-manage"), *sync])

    def _register(self) -> None:
        admin = self.administrator
        service = admin.make("keystone", "projects", name="service", domain_id="default")
        role = admin.role("admin")
        for name in APIS[1:]:
            user = admin.make_user(name)
            admin.call("keystone", "PUT", f"/projects/{service}/users/{user}/roles/{role}")
            kind, path = _CATALOGUE[name]
            entry = admin.make("keystone", "services", name=name, type=kind)
            for interface in ("public", "internal", "admin"):
                url = self.layout.url(name) + path
                admin.make("keystone", "endpoints", service_id=entry, interface=interface, url=url, region_id=REGION)

    def _nova_databases(self) -> None:
        self.manage_nova("nova-api-sync", "api_db", "sync")
        cell0 = f"mysql+pymysql://lab:{self.layout.password}@{HOST}:{self.layout.ports['mariadb']}/nova_cell0"
        self.manage_nova("nova-cell0", "cell_v2", "map_cell0", "--database_connection", cell0)
        self.manage_nova("nova-sync", "db", "sync")
        self.manage_nova("nova-cell1", "cell_v2", "create_cell", "--name", "cell1")

    def await_api(self) -> None:
        """Wait until the compute API answers a listing: after an outage it still holds connections that are gone."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.administrator.call("nova", "GET", "/servers/detail")
            except (RuntimeError, requests.RequestException):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return

    def await_heartbeats(self, *names: str) -> None:
        """Wait until nova knows these services to be alive: before, what is asked of them is lost."""
        deadline = time.monotonic() + 120
        listed = ", ".join(f"'{name}'" for name in names)
        question = f"SELECT count(*) FROM services WHERE `binary` IN ({listed}) AND report_count > 0"
        while int(self.database.run(question, "nova")) < len(names):
            for name in names:
                process = self.services[name].process
                if process is None or process.poll() is not None or time.monotonic() > deadline:
                    tail = self.services[name].log.read_text(errors="replace")[-3000:]
                    raise RuntimeError(f"{name} does not report to nova:\n{tail}")
            time.sleep(0.5)


def _all(futures: List[Future]) -> None:  # type: ignore[type-arg]
    """Wait for all, then raise what went wrong first."""
    wait(futures)
    for future in futures:
        future.result()
