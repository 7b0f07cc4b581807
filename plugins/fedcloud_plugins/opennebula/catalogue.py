"""The other pools of oned: users, images, templates, hosts, clusters and groups, each read when it is first needed.

Only what usage needs of them is kept. What this account may not read is told once, and goes without.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from array import array
from typing import Callable, Dict, List, Optional, Tuple, TypeVar

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import RefusedError, RemoteDataError
from fedcloud_plugins.opennebula.dialect import Dialect
from fedcloud_plugins.opennebula.pools import (
    Cluster,
    Host,
    Image,
    Template,
    User,
    cluster_of,
    host_of,
    image_of,
    template_of,
    user_of,
)
from fedcloud_plugins.opennebula.row import Sample, identifier, sample_of
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings
from fedcloud_plugins.opennebula.wire import Wire
from fedcloud_plugins.opennebula.xmlrpc import UNKNOWN_METHOD, FaultError, LoginRefusedError

T = TypeVar("T")
N = TypeVar("N", User, Image, Template, Host, Cluster)

_EVERYTHING = (-2, -1, -1)
_LAST_SAMPLES = ("one.vmpool.monitoring", -2, 0)


class Catalogue:
    """What one oned says of those that its machines name by number. ``problems`` are told once."""

    def __init__(self, wire: Wire, settings: OpenNebulaSettings) -> None:
        self.problems: List[Problem] = []
        self._wire = wire
        self._settings = settings
        self._users: Optional[Dict[int, User]] = None
        self._images: Optional[Dict[int, Image]] = None
        self._templates: Optional[Dict[int, Template]] = None
        self._hosts: Optional[Dict[int, Host]] = None
        self._clusters: Optional[Dict[int, Cluster]] = None
        self._samples = Samples()

    def user(self, number: int) -> Optional[User]:
        """Return an account, or None for one that is gone."""
        if self._users is None:
            names = self._settings.user_properties
            self._users = self._pool("user", "USER", (), lambda element: user_of(element, names))
        return self._users.get(number)

    def image(self, number: int) -> Optional[Image]:
        """Return an image, or None for one that is gone."""
        if self._images is None:
            keys = self._settings.image_keys
            self._images = self._pool("image", "IMAGE", _EVERYTHING, lambda element: image_of(element, keys))
        return self._images.get(number)

    def template(self, number: int) -> Optional[Template]:
        """Return a template, or None for one that is gone."""
        if self._templates is None:
            keys = self._settings.image_keys
            self._templates = self._pool(
                "template", "VMTEMPLATE", _EVERYTHING, lambda element: template_of(element, keys)
            )
        return self._templates.get(number)

    def host(self, number: int) -> Optional[Host]:
        """Return a hypervisor, or None for one that is gone."""
        if self._hosts is None:
            self._hosts = self._pool("host", "HOST", (), host_of)
        return self._hosts.get(number)

    def cluster(self, number: int) -> Optional[Cluster]:
        """Return a cluster, or None for one that is gone."""
        if self._clusters is None:
            self._clusters = self._pool("cluster", "CLUSTER", (), cluster_of)
        return self._clusters.get(number)

    def sample_all(self, dialect: Dialect) -> None:
        """Ask what was last monitored of all machines, from an oned that keeps it apart from them."""
        if not dialect.samples:
            return

        def take(element: ET.Element) -> None:
            number, sample = identifier(element.findtext("ID")), sample_of(element)
            if number is not None and sample is not None:
                self._samples.put(number, sample)

        self._told("machine samples", lambda: self._wire.read("MONITORING_DATA", *_LAST_SAMPLES, take=take))

    def sample(self, number: int) -> Optional[Sample]:
        """Return what was last monitored of a machine, as far as that was asked for."""
        return self._samples.get(number)

    def group_names(self) -> Dict[str, str]:
        """Return the names of groups by id, as far as this account may know them."""
        return dict(self._read("group", "GROUP", (), lambda e: (e.findtext("ID", ""), e.findtext("NAME", ""))))

    def _pool(self, kind: str, tag: str, arguments: Tuple[int, ...], made: Callable[[ET.Element], N]) -> Dict[int, N]:
        return {one.id: one for one in self._read(kind, tag, arguments, made)}

    def _read(self, kind: str, tag: str, arguments: Tuple[int, ...], made: Callable[[ET.Element], T]) -> List[T]:
        def take(element: ET.Element) -> Optional[T]:
            if element.tag != tag:
                return None
            try:
                return made(element)
            except ValueError:
                return None

        return self._told(
            f"{kind}s", lambda: self._wire.read(f"{tag}_POOL", f"one.{kind}pool.info", *arguments, take=take)
        )

    def _told(self, what: str, read: Callable[[], List[T]]) -> List[T]:
        try:
            return read()
        except LoginRefusedError:
            raise
        except (RefusedError, RemoteDataError) as error:
            if not (isinstance(error, FaultError) and error.code == UNKNOWN_METHOD):
                self.problems.append(
                    Problem(f"the {what} of oned", f"they cannot be read, so records go without: {error.message}")
                )
            return []


class Samples:
    """Samples by a machine's id, a few numbers each: there may be one for every machine of the site."""

    _PAGE = 512

    def __init__(self) -> None:
        self._pages: Dict[int, array[int]] = {}

    def put(self, number: int, sample: Sample) -> None:
        """Keep the sample of a machine, unless a later one is there."""
        at = sample.at or 0
        page = self._pages.setdefault(number // self._PAGE, array("q", bytes(8 * 3 * self._PAGE)))
        place = number % self._PAGE * 3
        if at >= page[place + 2]:
            page[place : place + 3] = array("q", (sample.received, sample.sent, at))

    def get(self, number: int) -> Optional[Sample]:
        """Return the sample of a machine, or None."""
        page = self._pages.get(number // self._PAGE)
        if page is None:
            return None
        place = number % self._PAGE * 3
        received, sent, at = page[place : place + 3]
        return Sample(received, sent, at or None) if received or sent else None
