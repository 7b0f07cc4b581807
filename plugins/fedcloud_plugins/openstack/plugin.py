"""The OpenStack cloud of the contract: probe, usage, and the door to its description.

The story of a usage run: log in, find the projects that serve a VO, see whether all projects can be listed at once,
then read the listing of each scope page by page, learning the names of users and images as they are met.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, FrozenSet, Iterator, List, NamedTuple, Optional
from urllib.parse import urlsplit

from fedcloud_agent.clouds.contract import (
    COMPLETED,
    SUSPENDED,
    Cloud,
    DescribeFacet,
    Listing,
    Login,
    Page,
    Past,
    ProbeFacet,
    Problem,
    RecordingFacet,
    UsageFacet,
    VirtualMachine,
    Window,
)
from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.errors import ConfigurationError, RemoteDataError
from fedcloud_plugins.openstack.settings import OpenStackSettings

if TYPE_CHECKING:
    from fedcloud_agent.clouds.offer import CloudOffer
    from fedcloud_plugins.openstack.compute import Compute
    from fedcloud_plugins.openstack.connection import Connection
    from fedcloud_plugins.openstack.directory import Project
    from fedcloud_plugins.openstack.mapping import Reading

_WIDE_PAGE = 200
_PROJECT_PAGE = 1000


class Pass(NamedTuple):
    """One paged listing out of which, perhaps with others, a window is covered."""

    query: Dict[str, Any]
    only_deleted: bool


def passes(window: Window, *, wide: bool, page_size: Optional[int]) -> List[Pass]:
    """Return the listings that cover ``window``. The live ones come first: who is deleted meanwhile shows up later.

    The filter for deleted servers works for administrators only; others read what changed, and pick.
    """
    base: Dict[str, Any] = {"limit": page_size or (_WIDE_PAGE if wide else _PROJECT_PAGE)}
    if wide:
        base["all_tenants"] = 1
    since = {} if window.since is None else {"changes-since": _iso(window.since)}
    if not window.full:
        return [Pass({**base, "changes-since": _iso(window.since or 0)}, False)]
    if wide:
        return [Pass(base, False), Pass({**base, **since, "deleted": "true"}, False)]
    return [Pass(base, False), Pass({**base, "changes-since": _iso(window.since or 0)}, True)]


def _iso(instant: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(0, instant)))


class OpenStack(Cloud, ProbeFacet, UsageFacet, DescribeFacet, RecordingFacet):
    """A cloud that speaks the compute API 2.1 or later, and keystone v3."""

    cloud_type: ClassVar[str] = "OpenStack"
    settings: OpenStackSettings

    def __init__(self, name: str, settings: OpenStackSettings) -> None:
        super().__init__(name, settings)
        self._opened: Optional[Connection] = None

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            from fedcloud_plugins.openstack.connection import Connection

            self._opened = Connection(self.name, self.settings)
        return self._opened

    @property
    def host(self) -> str:
        """The host of the login URL."""
        return urlsplit(self.settings.auth.auth_url).hostname or self.name

    def close(self) -> None:
        """Give back the connections; tokens end by themselves."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def probe(self) -> Login:
        """Log in, ask the compute service for its version, and see which view this account has."""
        began = time.monotonic()
        connection = self._connection
        reference = connection.main.access().reference
        scope = "the system" if reference.system_scoped else reference.project_name
        _, wide = connection.view()
        view = "all projects" if wide else f"{len(connection.projects()[0])} projects, one by one"
        return Login(
            identity=f"{reference.username}" + (f" on {scope}" if scope else ""),
            view=view,
            seconds=time.monotonic() - began,
            clock_offset=connection.clock.offset,
        )

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        """Yield one listing ``*`` where all projects can be listed at once, else one for each project.

        Raises ConfigurationError when no project serves a VO.
        """
        connection = self._connection
        projects, problems = connection.serving()
        compute, wide = connection.view()
        if wide:
            yield self._listing("*", projects, compute.time(), window("*"), problems, wide=True)
            return
        # nobody can log in to a disabled project; what is known of its machines stands
        closed = [
            Problem(f"project {p.name}", "it is disabled and cannot be listed") for p in projects if not p.enabled
        ]
        told = [*problems, *closed]
        for project in projects:
            if project.enabled:
                yield self._listing(project.id, [project], compute.time(), window(project.id), told, wide=False)
                told = []

    def _listing(
        self,
        scope: str,
        projects: List[Project],
        as_of: int,
        window: Window,
        problems: List[Problem],
        *,
        wide: bool,
    ) -> Listing:
        groups: FrozenSet[str] = frozenset(project.id for project in projects)
        pages = self._pages(scope, projects, window, list(problems), wide=wide)
        return Listing(scope, groups, window, as_of, self._connection.clock.offset, pages)

    def _pages(
        self, scope: str, projects: List[Project], window: Window, problems: List[Problem], *, wide: bool
    ) -> Iterator[Page]:
        connection = self._connection
        compute = connection.view()[0] if wide else connection.compute(scope)
        reading = connection.reading(projects)
        for query, only_deleted in passes(window, wide=wide, page_size=self.settings.page_size):
            for rows in compute.pages(query):
                yield self._page(rows, reading, compute, problems, only_deleted=only_deleted)
                problems = []
        if problems:
            yield Page((), (), problems)

    def _page(
        self, rows: List[Any], reading: Reading, compute: Compute, problems: List[Problem], *, only_deleted: bool
    ) -> Page:
        from fedcloud_plugins.openstack.mapping import read_page

        connection = self._connection
        connection.learn(rows, reading, compute)
        try:
            machines, unreadable, nonsense = read_page(rows, reading, only_deleted=only_deleted)
        except ValueError as error:
            raise RemoteDataError(f"{compute.url} answered a page of which no row can be read: {error}") from error
        found = [*problems, *(Problem("a row of the listing", reason) for reason in nonsense)]
        for source in (connection.people.problems, connection.images.problems):
            found.extend(source)
            source.clear()
        if self.settings.wall == "active":
            by_id = {row["id"].lower(): row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}
            machines = [self._with_intervals(machine, by_id[machine.uuid], compute, found) for machine in machines]
        return Page(machines, unreadable, found)

    def _with_intervals(
        self, machine: VirtualMachine, row: Dict[str, Any], compute: Compute, problems: List[Problem]
    ) -> VirtualMachine:
        """Return the machine with the times in which it ran, reading its actions only if something happened to it."""
        from fedcloud_plugins.openstack.intervals import running, untouched
        from fedcloud_plugins.openstack.mapping import instant

        if machine.start is None:
            return machine
        if machine.status not in (SUSPENDED, COMPLETED):
            launched = row.get("OS-SRV-USG:launched_at")
            if untouched(machine.start, instant(launched) if launched else None, machine.changed or 0):
                # said in full: with nothing said, intervals that are known from before would stand, perhaps a rest
                return machine._replace(running=((machine.start, None),))
        actions = compute.actions(machine.uuid)
        if actions is None:
            problems.append(
                Problem(f"server {machine.uuid}", "its actions cannot be read; what is known of them stands")
            )
            return machine
        try:
            return machine._replace(running=running(machine, actions))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RemoteDataError(
                f"{compute.url}: the actions on server {machine.uuid} make no sense: {error!r}"
            ) from error

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        """Return one machine. Without a view of all projects each project is asked, and all must say no."""
        connection = self._connection
        projects, _ = connection.projects()
        compute, wide = connection.view()
        reading = connection.reading(projects)
        for asked in [compute] if wide else (connection.compute(project.id) for project in projects if project.enabled):
            row = asked.server(uuid)
            if row is None:
                continue
            if row.get("tenant_id") not in reading.vos:
                raise ConfigurationError(
                    f"server {uuid} belongs to project {row.get('tenant_id')!r:.60}, which serves no VO any more",
                    hint=f"name the project under clouds.{self.name}.vos",
                )
            page = self._page([row], reading, asked, [], only_deleted=False)
            if not page.machines:
                raise RemoteDataError(f"{asked.url}: server {uuid} cannot be read: {page.unreadable[0].reason}")
            return page.machines[0]
        return None

    def describe(self) -> CloudOffer:
        """Return what the cloud offers to the projects that serve a VO."""
        from fedcloud_plugins.openstack.describe import describe

        return describe(self._connection)

    def harmless(self) -> Harmless:
        """Return what may stay of keystone's, nova's and glance's answers."""
        from fedcloud_plugins.openstack.harmless import harmless

        return harmless(self.settings)
