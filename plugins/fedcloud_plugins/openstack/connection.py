"""One run's connection to the cloud: its logins, the view that they give, and what was learnt so far.

Nothing is asked before it is needed, and nothing twice.
"""

from __future__ import annotations

import logging
from typing import Any, Dict, List, Mapping, Optional, Tuple

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.http import Bounds, Client
from fedcloud_agent.site.shares import read_voms_json
from fedcloud_plugins.openstack.appliances import Appliances
from fedcloud_plugins.openstack.compute import Compute, ServiceClock, Version
from fedcloud_plugins.openstack.directory import Keystone, People, Project, Selection, select
from fedcloud_plugins.openstack.login import Login, identity_url
from fedcloud_plugins.openstack.mapping import Flavor, Reading, flavor
from fedcloud_plugins.openstack.settings import OpenStackSettings

log = logging.getLogger(__name__)


class Connection:
    """The cloud as this run sees it. Making one does not talk to the cloud."""

    def __init__(self, name: str, settings: OpenStackSettings) -> None:
        self.name = name
        self.settings = settings
        bounds = Bounds(timeout=settings.timeout, deadline=max(300, settings.timeout), size=settings.largest_answer)
        self.client = Client(bounds, cacert=settings.cacert, harmless=("/auth/tokens",))
        self.main = Login(self.client, settings.auth)
        self.keystone = Keystone(self.client, self.main, identity_url(settings.auth.auth_url))
        self.people = People(self.keystone, settings.identity_order, settings.identity_attribute)
        self.images = Appliances(self.client, settings.image_property)
        self.clock = ServiceClock()
        self.flavors: Dict[str, Flavor] = {}
        self._flavors_listed = False
        self._versions: Dict[str, Tuple[Version, Optional[Version]]] = {}
        self._computes: Dict[Optional[str], Compute] = {}
        self._projects: Optional[Tuple[List[Project], List[Problem]]] = None
        self._own: Optional[List[Dict[str, Any]]] = None
        self._view: Optional[Tuple[Compute, bool]] = None

    def close(self) -> None:
        """Give back the connections."""
        self.client.close()

    def projects(self) -> Tuple[List[Project], List[Problem]]:
        """Return the projects that serve a VO (there may be none), and what was found wrong about others."""
        if self._projects is None:
            self.view()
            listed = self.keystone.listed("/projects", "projects")
            # an account without a right beyond its own projects sees those
            self._projects = select(self._own_projects() if listed is None else listed, self._selection())
        return self._projects

    def serving(self) -> Tuple[List[Project], List[Problem]]:
        """Return what :meth:`projects` does. Raises ConfigurationError when no project serves a VO."""
        projects, problems = self.projects()
        if not projects:
            raise ConfigurationError(
                f"clouds.{self.name}: no project that serves a VO is visible to this account"
                + "".join(f"; {p.subject}: {p.reason}" for p in problems[:5]),
                hint="name the projects under 'vos', and give this account the role reader on them",
            )
        return projects, problems

    def _own_projects(self) -> List[Dict[str, Any]]:
        if self._own is None:
            self._own = self.keystone.listed("/auth/projects", "projects")
        if self._own is None:
            raise RefusedError(
                f"{self.keystone.url} lets this account list not even its own projects",
                hint="give it the role reader on each project that serves a VO",
            )
        return self._own

    def _selection(self) -> Selection:
        settings = self.settings
        configured: Dict[str, str] = {}
        for vo, entry in settings.vos.items():
            for project in entry.all:
                if configured.setdefault(project, vo) != vo:
                    raise ConfigurationError(
                        f"clouds.{self.name}.vos: project {project!r} is given to {configured[project]!r} and to {vo!r}"
                    )
        by_file = read_voms_json(settings.voms_json) if settings.voms_json else {}
        return Selection(configured, by_file, settings.vo_property, settings.project_tag)

    def compute(self, project: Optional[str] = None) -> Compute:
        """Return the compute API with a token of ``project`` (an id), or with that of the login as configured.

        Raises ConfigurationError when the login cannot be for that project, or the catalogue has no compute service.
        """
        found = self._computes.get(project)
        if found is None:
            login = self.main
            if project is not None and self.main.access().reference.project_id != project:
                login = Login(self.client, self.settings.auth, project)
                actual = login.access().reference.project_id
                if actual != project:
                    raise ConfigurationError(
                        f"clouds.{self.name}: the login is for project {actual} and cannot be for {project}",
                        hint="an application credential belongs to one project; let others log in by password",
                    )
            url = self.endpoint(login, "compute")
            if url is None:
                raise ConfigurationError(
                    f"{self.keystone.url}: the catalogue has no compute service "
                    f"({self.settings.interface}, region {self.settings.region or 'any'})",
                    hint="correct 'region' or 'interface'; an account without role on a project is shown no services",
                )
            known = self._versions.get(url, (None, None))
            found = Compute(self.client, login, url, self.settings.deadline, self.clock, *known)
            self._versions[url] = (found.version or found.negotiate(), found.highest)
            self._computes[project] = found
        return found

    def endpoint(self, login: Login, service: str) -> Optional[str]:
        """Return the address of a service as configured, or None when it is not in the catalogue of that token."""
        return login.endpoint(service, self.settings.region, self.settings.interface)

    def view(self) -> Tuple[Compute, bool]:
        """Return a compute API that answers, and whether its token may list the servers of all projects."""
        if self._view is None:
            compute = self._any_compute()
            self._view = compute, compute.may_list_all()
            log.debug("%s: %s", self.name, "all projects at once" if self._view[1] else "project by project")
        return self._view

    def _any_compute(self) -> Compute:
        if self.endpoint(self.main, "compute") is not None:
            return self.compute()
        own = self._own_projects()
        serving = [project.id for project in select(own, self._selection())[0]]
        refusal: Optional[RefusedError] = None
        for project in dict.fromkeys([*serving, *(row["id"] for row in own)]):
            try:
                compute = self.compute(project)
            except RefusedError as error:
                refusal = error
                continue
            if not self.main.access().reference.system_scoped:
                # without any scope keystone tells nobody of other projects and users
                self.keystone.login = compute.login
            return compute
        raise refusal or RefusedError(
            f"{self.keystone.url}: this account has a role on no project",
            hint="give it the role reader on each project that serves a VO",
        )

    def reading(self, projects: List[Project]) -> Reading:
        """Return what rows of ``projects`` are read with; it grows as :meth:`learn` finds new names."""
        settings = self.settings
        return Reading(
            vos={project.id: project.vo for project in projects},
            users=self.people.known,
            images=self.images.known,
            flavors=self.flavors,
            public_networks=frozenset(settings.public_networks),
            count_fixed=settings.count_fixed_addresses,
            benchmark_type_key=settings.flavor_benchmark_type,
            benchmark_value_key=settings.flavor_benchmark_value,
            benchmark_type=settings.benchmark_type,
            benchmark=settings.benchmark,
        )

    def learn(self, rows: List[Any], reading: Reading, compute: Compute) -> None:
        """Ask for the users, images and flavors that ``rows`` speak of and that are new."""
        users, images, flavors = set(), set(), set()
        for row in rows:
            try:
                if row["tenant_id"] in reading.vos and "flavor" in row:
                    users.add(row["user_id"])
                    if row.get("image"):
                        images.add(row["image"]["id"])
                    if "id" in row["flavor"]:
                        flavors.add(row["flavor"]["id"])
            except (KeyError, TypeError, AttributeError):
                # the reading of this row says what is wrong with it
                continue
        self.people.learn(user for user in users if isinstance(user, str))
        if not images <= self.images.known.keys():
            self.images.learn(
                (image for image in images if isinstance(image, str)), compute.login, self.image_url(compute)
            )
        if not flavors <= self.flavors.keys():
            self._learn_flavors((id_ for id_ in flavors if isinstance(id_, str)), reading, compute)

    def image_url(self, compute: Compute) -> Optional[str]:
        """Return the address of the image API v2 for who uses ``compute``, or None when there is none."""
        url = self.endpoint(compute.login, "image")
        return url if url is None or url.endswith("/v2") else url + "/v2"

    def _learn_flavors(self, ids: Any, reading: Reading, compute: Compute) -> None:
        if not self._flavors_listed:
            self._flavors_listed = True
            for described in compute.flavors():
                self._take_flavor(described, reading)
        for id_ in ids:
            if id_ not in self.flavors:
                unlisted = compute.flavor(id_)
                if unlisted is not None:
                    self._take_flavor(unlisted, reading)

    def _take_flavor(self, described: Mapping[str, Any], reading: Reading) -> None:
        try:
            self.flavors[described["id"]] = flavor(described, reading)
        except (KeyError, ValueError, TypeError) as error:
            log.warning("%s: a flavor cannot be read: %r: %.200r", self.name, error, described)
