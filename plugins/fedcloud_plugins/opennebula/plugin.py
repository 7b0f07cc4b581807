"""The OpenNebula cloud of the contract: probe, usage and what it offers.

The story of a usage run: log in, learn the release, make sure that we see every machine, compare the names that
machines have in the ledger with those that they would be given now, then walk through the ids.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, ClassVar, Iterator, Optional
from urllib.parse import urlsplit

from fedcloud_agent.clouds.contract import (
    Cloud,
    DescribeFacet,
    Listing,
    Login,
    Past,
    ProbeFacet,
    Problem,
    RecordingFacet,
    Unreadable,
    UsageFacet,
    VirtualMachine,
    Window,
)
from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.errors import ConfigurationError, RemoteDataError
from fedcloud_plugins.opennebula.settings import ONEACCT, OpenNebulaSettings

if TYPE_CHECKING:
    from fedcloud_agent.clouds.offer import CloudOffer
    from fedcloud_plugins.opennebula.connection import Connection
    from fedcloud_plugins.opennebula.dialect import Version
    from fedcloud_plugins.opennebula.mapping import Reading
    from fedcloud_plugins.opennebula.vmuuid import Naming

_MOST_SAMPLED = 50_000
"""With more machines alive the samples of all, which oned tells in one answer only, would be too much for it."""

_UNSAMPLED = Problem(
    "network traffic",
    f"it is not asked for where more than {_MOST_SAMPLED} machines live, since oned tells all at once",
)


class OpenNebula(Cloud, ProbeFacet, UsageFacet, DescribeFacet, RecordingFacet):
    """A cloud that speaks oned's XML-RPC."""

    cloud_type: ClassVar[str] = "OpenNebula"
    version: ClassVar[Optional[Version]] = None
    """The release, where it is not asked for."""
    settings: OpenNebulaSettings

    def __init__(self, name: str, settings: OpenNebulaSettings) -> None:
        super().__init__(name, settings)
        self._opened: Optional[Connection] = None

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            from fedcloud_plugins.opennebula.connection import Connection

            self._opened = Connection(self.name, self.settings, self.version)
        return self._opened

    @property
    def host(self) -> str:
        """The host of the endpoint."""
        return urlsplit(self.settings.endpoint).hostname or self.name

    def close(self) -> None:
        """Give back the connections; tokens end by themselves."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def probe(self) -> Login:
        """Log in, learn the release, and see whether this account sees every machine."""
        began = time.monotonic()
        connection = self._connection
        connection.begin()
        dialect = connection.dialect()
        view = connection.check_rights()
        account = connection.account()
        return Login(
            identity=f"{account.name} (user {account.id}) at OpenNebula {dialect.name}",
            view=view,
            seconds=time.monotonic() - began,
            clock_offset=connection.wire.clock.offset,
        )

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        """Yield one listing, of all machines.

        Raises RefusedError when this account does not see every machine, ConfigurationError when the machines of the
        ledger have other names than they would be given now.
        """
        from fedcloud_plugins.opennebula.census import census, served
        from fedcloud_plugins.opennebula.walk import SCOPE, Walk

        connection = self._connection
        connection.begin()
        machines = connection.machines()
        connection.check_rights()
        as_of, offset = connection.wire.clock.date, connection.wire.clock.offset
        living = census(past.living(SCOPE), self._naming())
        names = connection.catalogue.group_names() if living.groups else {}
        groups = served(living.groups, names, self.settings.vo_of)
        asked = window(SCOPE)
        reading = self._reading(as_of)
        if living.alive > _MOST_SAMPLED:
            connection.catalogue.problems.append(_UNSAMPLED)
        elif living.alive:
            connection.catalogue.sample_all(machines.dialect)
        walk = Walk(machines, past, asked, reading, living, connection.catalogue.problems)
        yield Listing(SCOPE, groups, asked, as_of, offset, walk.pages())

    def _naming(self) -> Naming:
        from fedcloud_plugins.opennebula.vmuuid import Naming, zone_of

        zone = self.settings.uuid_zone if self.settings.uuid_style == ONEACCT else None
        return Naming(self.settings.uuid_endpoint or self.settings.endpoint, zone_of(zone))

    def _reading(self, as_of: int) -> Reading:
        from fedcloud_plugins.opennebula.mapping import Reading

        pools = self._connection.catalogue
        return Reading(
            settings=self.settings,
            naming=self._naming(),
            as_of=as_of,
            user=pools.user,
            image=pools.image,
            template=pools.template,
            host=pools.host,
            cluster=pools.cluster,
            sample=pools.sample,
        )

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        """Return one machine. One that has its id now, but was submitted at another time, is another one."""
        from fedcloud_plugins.opennebula.mapping import machine_of
        from fedcloud_plugins.opennebula.vmuuid import id_of

        connection = self._connection
        connection.begin()
        try:
            number, stime = id_of(uuid)
        except ValueError as error:
            raise ConfigurationError(f"clouds.{self.name}: {error}") from error
        row = connection.machines().one(number)
        if row is None or row.stime != stime:
            return None
        reading = self._reading(connection.wire.clock.date)
        told, problems = machine_of(row, past.known([uuid]).get(uuid), reading)
        if told is None:
            raise ConfigurationError(
                f"machine {uuid} cannot be accounted any more: " + "; ".join(p.reason for p in problems),
                hint=f"name its group, {row.gname!r}, under clouds.{self.name}.vos",
            )
        if isinstance(told, Unreadable):
            raise RemoteDataError(f"{self.settings.endpoint}: machine {uuid} cannot be read: {told.reason}")
        return told

    def describe(self) -> CloudOffer:
        """Return what the cloud offers to the VOs of its groups.

        Raises RefusedError when nobody can tell whether this account sees everything or when it sees no group of a VO,
        ConfigurationError when no group serves one.
        """
        from fedcloud_plugins.opennebula.description.story import Story

        connection = self._connection
        connection.begin()
        return Story(connection, self.cloud_type, tells_release=self.version is None).offer()

    def harmless(self) -> Harmless:
        """Return what may stay of oned's answers."""
        from fedcloud_plugins.opennebula.harmless import harmless

        return harmless()
