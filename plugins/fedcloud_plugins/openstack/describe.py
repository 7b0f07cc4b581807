"""What the cloud offers: its door, its projects with their limits, sizes, images and machines, and the hosts behind.

The story: find the projects that serve a VO; look at the cloud from inside of each, with a token of its own, as its
users see it; then put the views together. Where the account has no role in a project but may see all of them, it looks
from outside: that shows less, and is told as a problem.

Calls for P projects, each with less than a page (a thousand) of flavors, images and servers: 5 P (login, flavors,
limits, images, servers) and at most 7 for the cloud as a whole (login, projects, version, rights, hosts). From outside
it is 3 P (the login that is refused, quota, servers) and two lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple, Union
from urllib.parse import quote

from fedcloud_agent.clock import now
from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import CloudOffer, InstanceType, Machines, Manager, Quota, Share
from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError
from fedcloud_plugins.openstack.compute import Compute, Version
from fedcloud_plugins.openstack.connection import Connection
from fedcloud_plugins.openstack.directory import Project
from fedcloud_plugins.openstack.endpoints import compute_endpoint, storage
from fedcloud_plugins.openstack.flavors import FlavorView, largest, sizes
from fedcloud_plugins.openstack.glance import active_images
from fedcloud_plugins.openstack.hypervisors import managers, unseen
from fedcloud_plugins.openstack.images import ImageView, shelf
from fedcloud_plugins.openstack.limits import limit_of, limits, quota_set, used_of
from fedcloud_plugins.openstack.states import count, statuses, sum_of

# from here on the list of flavors carries their properties
_WITH_PROPERTIES = Version(2, 61)
_PAGE = 1000
_ADMINISTRATORS_PAGE = 200
"""Of servers, each of which may carry 64 kB of user data there."""


def describe(connection: Connection) -> CloudOffer:
    """Return all that the cloud offers. Raises what keeps it from being told in full; see the contract."""
    as_of = now()
    projects, problems = connection.serving()
    compute, wide = connection.view()
    survey = Survey(connection, compute, wide, list(problems))
    for project in projects:
        survey.look_at(project)
    if not survey.seen:
        raise survey.failure or ConfigurationError(
            f"clouds.{connection.name}: every project that serves a VO is disabled",
            hint="enable one, or name others under 'vos'",
        )
    survey.look_from_outside()
    found = sizes(survey.flavors)
    images = shelf(survey.images, connection.settings.image_property)
    if not found.types:
        survey.note("flavors", "the cloud shows none to these projects, so that nothing can be started")
    hosts = survey.hosts()
    return CloudOffer(
        as_of=as_of,
        endpoints=(compute_endpoint(compute.login, compute.url, compute.highest, connection.settings),),
        shares=tuple(seen.share(found.types) for seen in survey.seen),
        managers=hosts,
        instance_types=found.types,
        images=images.images,
        accelerators=found.accelerators,
        storage=storage(compute.login, connection.settings),
        machines=sum_of([seen.machines for seen in survey.seen]),
        problems=(*survey.problems, *found.problems, *images.problems),
    )


@dataclass(frozen=True)
class Seen:
    """What a project told of itself, or what was told of it."""

    project: Project
    domain: Optional[str]
    quotas: Tuple[Quota, ...]
    machines: Optional[Machines]

    def share(self, types: Tuple[InstanceType, ...]) -> Share:
        """Return the project as a share of the cloud; ``types`` are all sizes that are on offer."""
        cores, memory = limit_of(self.quotas, "cores"), limit_of(self.quotas, "ram")
        max_cpu, max_memory = largest(types, self.project.id, cores, memory)
        return Share(
            vo=self.project.vo,
            project=self.project.id,
            project_name=self.project.name or None,
            project_domain=self.domain,
            description=self.project.description,
            max_machines=limit_of(self.quotas, "instances"),
            max_cpu=max_cpu,
            max_memory=max_memory,
            quotas=self.quotas,
            machines=self.machines,
        )


@dataclass
class Survey:
    """The look at one cloud, and what it brought so far. ``compute`` answers for the cloud as a whole."""

    connection: Connection
    compute: Compute
    wide: bool
    problems: List[Problem]
    seen: List[Seen] = field(default_factory=list)
    flavors: List[FlavorView] = field(default_factory=list)
    images: List[ImageView] = field(default_factory=list)
    failure: Optional[AgentError] = None
    """The first login to a project that was refused."""
    outside: List[Project] = field(default_factory=list)

    def note(self, subject: str, reason: str) -> None:
        """Keep something that a person should hear of; once."""
        problem = Problem(subject, reason)
        if problem not in self.problems:
            self.problems.append(problem)

    def look_at(self, project: Project) -> None:
        """Look at a project from inside, or note why that cannot be.

        Raises whatever goes wrong once we are in: half a view would be published as if there were no more.
        """
        if not project.enabled:
            self.note(f"project {project.name}", "it is disabled, and offers nothing")
            return
        try:
            compute = self.connection.compute(project.id)
        except (RefusedError, ConfigurationError) as error:
            self.failure = self.failure or error
            if self.wide:
                self._look_at_from_outside(project, error)
            else:
                self.note(
                    f"project {project.name}",
                    f"it is left out, since this account cannot log in to it: {error.message}",
                )
            return
        self.flavors.append(FlavorView(project.id, self._flavors(compute)))
        quotas = self._quotas(compute, "/limits", limits, project)
        self._add_images(compute, (project.id,))
        machines = self._machines(compute, project, {}, quotas)
        domain = compute.login.access().reference.project_domain_name
        self.seen.append(Seen(project, domain if isinstance(domain, str) else None, quotas, machines))

    def _look_at_from_outside(self, project: Project, error: AgentError) -> None:
        path = f"/os-quota-sets/{quote(project.id, safe='')}/detail"
        quotas = self._quotas(self.compute, path, quota_set, project)
        everyone: Dict[str, Union[str, int]] = {"all_tenants": 1, "project_id": project.id}
        machines = self._machines(self.compute, project, everyone, quotas)
        self.outside.append(project)
        self.seen.append(Seen(project, None, quotas, machines))
        self.note(
            f"project {project.name}",
            "it is seen from outside only, so that flavors of its own and images that others share with it are not in "
            f"the offer; give this account the role reader there ({error.message})",
        )

    def look_from_outside(self) -> None:
        """List, once for all projects that are seen from outside, what is public and what images are their own."""
        if self.outside:
            self.flavors.append(FlavorView(None, self._flavors(self.compute)))
            self._add_images(self.compute, tuple(project.id for project in self.outside), everything=True)

    def hosts(self) -> Tuple[Manager, ...]:
        """Return what runs the machines; of hosts that this account may not see nothing but that they are there."""
        path = "/os-hypervisors/detail"
        version = None if self.compute.highest is None else str(self.compute.highest)
        rows = self.compute.listed(path, "hypervisors", forbidden=True)
        if rows is not None:
            return tuple(managers(rows, version, self.compute.url + path)) or (unseen(version),)
        self.note(
            "hypervisors",
            "this account may not read them, so that CPUs and memory of the whole cloud are not published; "
            "nova shows them to administrators",
        )
        return (unseen(version),)

    def _flavors(self, compute: Compute) -> List[Any]:
        highest, version = compute.highest, compute.version
        if version is not None and highest is not None and version < _WITH_PROPERTIES <= highest:
            version = _WITH_PROPERTIES
        return compute.listed("/flavors/detail", "flavors", {"limit": _PAGE}, version=version) or []

    def _quotas(
        self, compute: Compute, path: str, read: Callable[[Any, str], Tuple[Quota, ...]], project: Project
    ) -> Tuple[Quota, ...]:
        answer = compute.get(path, accept=(200, 403))
        if answer.status == 200:
            return read(answer.json(), compute.url + path)
        self.note(f"project {project.name}", "this account may not read its limits; none are published")
        return ()

    def _add_images(self, compute: Compute, projects: Tuple[str, ...], *, everything: bool = False) -> None:
        url = self.connection.image_url(compute)
        if url is None:
            self.note("images", "the catalogue has no image service; none are on offer")
            return
        settings = self.connection.settings
        rows = active_images(self.connection.client, compute.login, url, settings.deadline)
        if rows is None:
            self.note("images", "this account may not list them; none are on offer where that is so")
            return
        self.images.append(ImageView(projects, everything or compute.login.is_administrators(), rows))

    def _machines(
        self, compute: Compute, project: Project, query: Dict[str, Union[str, int]], quotas: Tuple[Quota, ...]
    ) -> Optional[Machines]:
        settings = self.connection.settings
        if not settings.count_machines:
            used = used_of(quotas, "instances")
            return None if used is None else Machines(total=used)
        administrators = bool(query) or compute.login.is_administrators()
        size = settings.page_size or (_ADMINISTRATORS_PAGE if administrators else _PAGE)
        pages = compute.pages({**query, "limit": size})
        return count(statuses((row for page in pages for row in page), f"{compute.url}/servers/detail").values())
