"""What a site says of itself in the information system, beside what its clouds tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Iterator, Mapping, Optional, Tuple, Union

from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.outbox.settings import AMS_NAME, AmsService
from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Integer,
    ListOf,
    Moment,
    Number,
    Schedule,
    Text,
    Url,
    When,
    section,
    sections,
    setting,
)

CLASSIC = "classic"
REGISTRY = "registry"
MARKETPLACE = "marketplace"
ALL = "all"
_WORD = r"[!-+\--~]+"
_MAIL = r"[^@\s,]+@[^@\s,]+"
OPERATING_SYSTEMS = (
    *("AIX", "CentOS", "Debian", "Fedoracore", "Gentoo", "Leopard", "Linux-rocks", "Mandrake", "RedhatEnterpriseAS"),
    *("ScientificSL", "ScientificCERNSLC", "SUSE LINUX", "Ubuntu", "Microsoft WINDOWS"),
)
"""The names that the EGI profile has for operating systems."""


@dataclass(frozen=True)
class ContactSettings:
    """Mail addresses for particular matters."""

    sysadmin: Optional[str] = setting(
        Text("a mail address", pattern=_MAIL), help="Of the administrators.", default=None, example="root@example.org"
    )
    security: Optional[str] = setting(
        Text("a mail address", pattern=_MAIL), help="Of those who answer to security incidents.", default=None
    )
    usersupport: Optional[str] = setting(
        Text("a mail address", pattern=_MAIL), help="Of those who help users.", default=None
    )


@dataclass(frozen=True)
class LocationSettings:
    """Where the site is."""

    country: Optional[str] = setting(Text(), help="The country.", default=None, example="Czech Republic")
    place: Optional[str] = setting(Text(), help="The town.", default=None, example="Brno")
    latitude: Optional[float] = setting(
        Number(-89.9999, 89.9999, unit="degrees, north"), help="Degrees north.", default=None, example=49.2
    )
    longitude: Optional[float] = setting(
        Number(-179.9999, 179.9999, unit="degrees, east"), help="Degrees east.", default=None, example=16.6
    )


@dataclass(frozen=True)
class _StaticEndpoint:
    url: str = setting(
        Url("https", "http"),
        help="The address that people use.",
        example="https://occi.example.org:8787/occi1.1",
    )
    interface: str = setting(
        Text("a word without blanks or commas", pattern=_WORD), help="The interface's name.", example="OCCI"
    )
    interface_version: str = setting(
        Text("a word without blanks or commas", pattern=_WORD), help="The interface's version.", example="1.1"
    )
    implementation: Optional[str] = setting(Text(), help="The program behind it.", default=None, example="ooi")
    implementation_version: Optional[str] = setting(Text(), help="The program's version.", default=None)
    authentication: Tuple[str, ...] = setting(
        ListOf(Text("a word", pattern=_WORD)), help="How people log in to it, best first.", default=("oidc",)
    )
    vos: Tuple[str, ...] = setting(
        ListOf(Text("a VO", pattern=_WORD)),
        help="The VOs that may use it. Default: every VO that a cloud of this site serves.",
        default=(),
    )


@dataclass(frozen=True)
class StaticComputeSettings(_StaticEndpoint):
    """One more door to the machines of a configured cloud, such as OCCI in front of it."""

    cloud: str = setting(Text(), help="The cloud behind it, by the name that it has below 'clouds'.", example="main")


@dataclass(frozen=True)
class StaticStorageSettings(_StaticEndpoint):
    """A storage service that no cloud plugin knows of, such as CDMI."""

    protocol: str = setting(
        Text("a word without blanks or commas", pattern=_WORD), help="How data is read and written.", default="https"
    )
    protocol_version: str = setting(
        Text("a word without blanks or commas", pattern=_WORD), help="The protocol's version.", default="1.1"
    )
    total: Optional[int] = setting(
        Integer(0, 1_000_000_000, unit="GB"), help="Its size; nothing is told where this is not set.", default=None
    )


@dataclass(frozen=True)
class PublishedCloudSettings:
    """What is published of one cloud beside what it tells."""

    gocdb_id: Optional[str] = setting(
        Text("a primary key of GOCDB, such as 7513G0", pattern=r"[0-9]+G[0-9]+"),
        help="The primary key of this cloud's service endpoint in GOCDB; readers of the JSON form go by it.",
        default=None,
        example="7513G0",
    )
    issuer_ca: Optional[str] = setting(
        Text(),
        help="The subject of the authority that signed the endpoint's certificate, where the cloud cannot tell.",
        default=None,
        example="/C=NL/O=Example/CN=Example CA 4",
    )


@dataclass(frozen=True)
class DowntimeSettings:
    """A time in which services are down, or at risk, as it is announced in GOCDB."""

    start: int = setting(Moment(), help="When it begins.", example="2026-12-01T08:00Z")
    end: int = setting(Moment(), help="When it is over.", example="2026-12-01T16:00Z")
    announced: Optional[int] = setting(
        Moment(), help="Since when it is announced. Default: a day before it begins.", default=None
    )
    info: str = setting(Text(), help="Why, in a few words.", example="New switches")
    outage: bool = setting(
        Boolean(), help="Whether the services are closed meanwhile; false: they are at risk only.", default=True
    )
    clouds: Tuple[str, ...] = setting(
        ListOf(Text("a name below 'clouds'")), help="The clouds whose services are meant. Default: all.", default=()
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse what ends before it begins."""
        if self.end <= self.start:
            yield "end", "it is over before it begins"
        if self.announced is not None and self.announced > self.start:
            yield "announced", "it is announced after it began"


@dataclass(frozen=True)
class DocumentDirectory:
    """A directory in which each cloud has its JSON document, as NAME.json, for a web server or another program."""

    path: Path = setting(
        AbsolutePath(), help="The directory; the user fedcloud must be able to write to it.", example="/srv/www/glue"
    )


@dataclass(frozen=True)
class DocumentTopic(AmsService):
    """A topic of the ARGO Messaging Service (AMS) to which the JSON document of each cloud is published."""

    service: ClassVar[str] = "org.openstack.nova"

    project: str = setting(AMS_NAME, help="The project that the topic belongs to.", default="egi_cloud_info")
    topic: str = setting(
        Text("a name in which {site}, {cloud} and {gocdb_id} may stand", pattern=r"[A-Za-z0-9_{}-]{1,200}"),
        help="The topic; {site}, {cloud} and {gocdb_id} (of 'infosys.clouds.NAME') stand for those of each cloud.",
        default="SITE_{site}_ENDPOINT_{gocdb_id}",
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse names in braces that mean nothing."""
        rest = re.sub(r"\{(site|cloud|gocdb_id)\}", "", self.topic)
        if "{" in rest or "}" in rest:
            yield "topic", "only {site}, {cloud} and {gocdb_id} may stand in braces"


@dataclass(frozen=True)
class InfosysSettings:
    """The information system: what the site offers, as GLUE 2."""

    contact: Optional[str] = setting(
        Text("a mail address", pattern=_MAIL),
        help="The mail address for everything that 'contacts' does not name. Nothing is published without it.",
        default=None,
        example="cloud-support@example.org",
    )
    contacts: ContactSettings = section(ContactSettings, help="Mail addresses for particular matters.")
    location: LocationSettings = section(LocationSettings, help="Where the site is.")
    description: Optional[str] = setting(
        Text(), help="What the site is, in one sentence.", default=None, example="The cloud of the Example Institute"
    )
    www: Optional[str] = setting(
        Url("https", "http"), help="The site's page.", default=None, example="https://cloud.example.org/"
    )
    ngi: Optional[str] = setting(
        Text("a word without blanks", pattern=_WORD),
        help="The NGI that the site belongs to, as in GOCDB.",
        default=None,
        example="NGI_CZ",
    )
    host: Optional[str] = setting(
        Text("a host name with its domain", pattern=r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
        help="The name under which readers reach this information system. Default: this machine's full name.",
        default=None,
        example="bdii.example.org",
    )
    quality_level: str = setting(
        Choice("production", "pre-production", "testing", "development"),
        help="How much users may rely on the site's services.",
        default="production",
    )
    capabilities: Tuple[str, ...] = setting(
        ListOf(Text("a word without blanks or commas", pattern=_WORD)),
        help="What the compute services are said to be able to do.",
        default=("executionmanagement.dynamicvmdeploy", "security.accounting"),
    )
    naming: str = setting(
        Choice(CLASSIC, REGISTRY),
        help="The names of services and interfaces in the LDAP tree: 'classic' as clouds published from the start "
        "(IaaS, OpenStack), 'registry' as GOCDB and the JSON form have them (org.cloud.iaas, org.openstack.nova).",
        default=CLASSIC,
    )
    operating_system: str = setting(
        Choice(*OPERATING_SYSTEMS),
        help="The system that instance types are said to run. They have none, but the EGI profile wants one.",
        default="Ubuntu",
    )
    images: str = setting(
        Choice(MARKETPLACE, ALL),
        help="Which images are published: those that name their entry in a marketplace or registry, or all.",
        default=MARKETPLACE,
    )
    schedule: When = setting(
        Schedule(),
        help="When the clouds are asked, and what changed is published.",
        default=When(every=600),
    )
    validity: int = setting(
        Duration(600, 7 * DAY),
        help="How long readers may believe an entry; at least six times the span between two looks at the clouds.",
        default=HOUR,
    )
    closed_after: int = setting(
        Duration(HOUR, 30 * DAY),
        help="When a cloud could not be read for so long, its endpoints are published as closed.",
        default=DAY,
    )
    largest_loss: float = setting(
        Number(1, 100, unit="percent"),
        help="When more of a cloud's images, instance types, shares or endpoints than this are gone at once, the new "
        "picture is doubted and the last good one stays.",
        default=50.0,
    )
    status_info: Optional[str] = setting(
        Url("https", "http"),
        help="A page on the state of the site. Default: the federation's monitoring of this site.",
        default=None,
    )
    listen: Tuple[str, ...] = setting(
        ListOf(Text("an IP address", pattern=r"[0-9A-Fa-f.:]+"), minimum=1),
        help="The addresses on which 'infosys serve' answers. A family that this machine does not have is left out.",
        default=("0.0.0.0", "::"),  # noqa: S104 -- a public service
    )
    port: int = setting(
        Integer(1, 65535), help="The port on which it answers; the federation's readers expect 2170.", default=2170
    )
    slapd: Optional[Path] = setting(
        AbsolutePath(), help="The program that answers. Default: where the distribution installs it.", default=None
    )
    schema: Optional[Path] = setting(
        AbsolutePath(),
        help="The file GLUE20.schema. Default: where the package glue-schema installs it.",
        default=None,
    )
    services: Mapping[str, Union[StaticComputeSettings, StaticStorageSettings]] = sections(
        variants=lambda: {"compute": StaticComputeSettings, "storage": StaticStorageSettings},
        help="Endpoints that no cloud plugin tells of.",
        example="occi",
    )
    downtimes: Mapping[str, DowntimeSettings] = sections(
        DowntimeSettings,
        help="Times in which services are down, by names of your own; readers see them as announced.",
        example="switches",
    )
    documents: Mapping[str, Union[DocumentDirectory, DocumentTopic]] = sections(
        variants=lambda: {"ams": DocumentTopic, "directory": DocumentDirectory},
        help="Where the JSON form goes (GLUE 2.1, a document for each cloud), besides the LDAP tree.",
        example="appdb",
    )
    clouds: Mapping[str, PublishedCloudSettings] = sections(
        PublishedCloudSettings,
        help="What is published of each cloud beside what it tells, by the name that it has below 'clouds'.",
        example="main",
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse half of a position, and what is no address."""
        if (self.location.latitude is None) != (self.location.longitude is None):
            yield "location", "a position needs 'latitude' and 'longitude'"
        import socket

        for host in self.listen:
            try:
                socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
            except OSError:
                yield "listen", f"{host!r} is no IP address"
