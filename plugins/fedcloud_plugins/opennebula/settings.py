"""What the site says of an OpenNebula cloud: where it is, who we are there, which group serves which VO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Tuple

from fedcloud_agent.clouds.settings import CloudSettings
from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Integer,
    ListOf,
    Secret,
    SecretFile,
    Size,
    Text,
    Url,
    section,
    sections,
    setting,
)
from fedcloud_plugins.opennebula.description.settings import OfferSettings

CORE = "core"
X509 = "x509"
SERVER_CIPHER = "server_cipher"
SERVER_X509 = "server_x509"
PROXY = "proxy"

CHECK = "check"
GRANTED = "granted"

AGENT = "agent"
ONEACCT = "oneacct"

_SYSTEM_GROUPS = ("0", "1")
"""oneadmin and users: they are there from the beginning, and name no VO."""


@dataclass(frozen=True)
class AuthSettings:
    """How to log in to oned. Use an account of its own that may see everything and change nothing."""

    auth_type: str = setting(
        Choice(CORE, X509, SERVER_CIPHER, SERVER_X509, PROXY),
        help="The kind of login: a password or login token (core, also for accounts of ldap), a certificate (x509), "
        "a service that acts for 'target' (server_*), or none, because the web server in front says who calls (proxy).",
        default=CORE,
    )
    username: Optional[str] = setting(
        Text("a name without colon", pattern=r"[^:]+"),
        help="The account's name. It may be left out where password_file holds NAME:PASSWORD, as one_auth does.",
        default=None,
        example="fedcloud-accounting",
    )
    password_file: Optional[Secret] = setting(
        SecretFile(),
        help="The file that holds the password or login token (core), or the service's password (server_cipher).",
        default=None,
        example="/etc/fedcloud-agent/oned.secret",
    )
    certificate: Optional[Path] = setting(
        AbsolutePath(), help="The account's certificate in PEM form, with its chain if it has one (x509).", default=None
    )
    key: Optional[Path] = setting(
        AbsolutePath(),
        help="The private key in PEM form, RSA and without passphrase (x509, server_x509).",
        default=None,
    )
    target: Optional[str] = setting(
        Text(),
        help="The account that a service acts for (server_cipher, server_x509); its rights are those that count.",
        default=None,
        example="fedcloud-accounting",
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Name what the kind of login needs and has not."""
        needed = {
            CORE: ("password_file",),
            X509: ("username", "certificate", "key"),
            SERVER_CIPHER: ("password_file", "target"),
            SERVER_X509: ("username", "key", "target"),
            PROXY: (),
        }
        for key in needed[self.auth_type]:
            if getattr(self, key) is None:
                yield key, f"auth_type {self.auth_type} needs it"


@dataclass(frozen=True)
class ProxySettings:
    """A web server in front of oned that asks for a login of its own."""

    username: Optional[str] = setting(Text(), help="The name for HTTP basic authentication.", default=None)
    password_file: Optional[Secret] = setting(
        SecretFile(), help="The file that holds the password for HTTP basic authentication.", default=None
    )
    certificate: Optional[Path] = setting(
        AbsolutePath(), help="The client certificate to show to it, in PEM form.", default=None
    )
    key: Optional[Path] = setting(AbsolutePath(), help="The client certificate's private key.", default=None)

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse half of a pair."""
        for one, other in (("username", "password_file"), ("certificate", "key")):
            for given, missing in ((one, other), (other, one)):
                if getattr(self, given) is not None and getattr(self, missing) is None:
                    yield missing, f"'{given}' needs it"


@dataclass(frozen=True)
class VoSettings:
    """The groups that serve one VO, by name or id."""

    group: Optional[str] = setting(Text(), help="The group's name or id.", default=None, example="vo-example")
    groups: Tuple[str, ...] = setting(ListOf(Text()), help="Several groups of the same VO, by name or id.", default=())

    @property
    def all(self) -> Tuple[str, ...]:
        """Every group that is named, in order."""
        return ((self.group,) if self.group else ()) + self.groups


@dataclass(frozen=True)
class OpenNebulaSettings(CloudSettings):
    """An OpenNebula cloud (3.2 to 7.x). Each zone is a cloud of its own."""

    endpoint: str = setting(
        Url("http", "https"),
        help="The XML-RPC interface of oned, or of the web server in front of it.",
        example="http://one.example.org:2633/RPC2",
    )
    auth: AuthSettings = section(AuthSettings, help="How to log in.")
    proxy: Optional[ProxySettings] = section(
        ProxySettings, help="A web server in front of oned that asks for a login of its own.", optional=True
    )
    cacert: Optional[Path] = setting(
        AbsolutePath(),
        help="A file or hashed directory of the authorities that sign the endpoint's certificate. Default: the "
        "system's.",
        default=None,
        example="/etc/grid-security/certificates",
    )
    timeout: int = setting(
        Duration(minimum=1, maximum=3600),
        help="How long to wait for a connection, and for each next piece of an answer; oned sends nothing before an "
        "answer is complete.",
        default=120,
    )
    deadline: int = setting(
        Duration(minimum=10, maximum=86400),
        help="How long one listing may take, all its calls together.",
        default=4 * 3600,
    )
    largest_answer: int = setting(
        Size(minimum=1000**2, maximum=128 * 1024**2),
        help="The largest answer that is read; more than 128MiB oned cannot send. Answers are kept far below it.",
        default=128 * 1024**2,
    )
    window: int = setting(
        Integer(1, 5000, unit="machines"),
        help="How many machines to ask for at once to begin with; it grows and shrinks with the size of the answers.",
        default=500,
    )
    rights: str = setting(
        Choice(CHECK, GRANTED),
        help="oned silently leaves out what an account may not see, so its rights are checked before anything is "
        "accounted: group oneadmin, or a rule that lets it USE VM/*. 'granted' is your word that the rule is there, "
        "for an account that may not read the rules themselves.",
        default=CHECK,
    )
    vos: Mapping[str, VoSettings] = sections(VoSettings, help="The groups of each VO.", example="vo.example.org")
    group_names_are_vos: Optional[bool] = setting(
        Boolean(),
        help="Account the groups that 'vos' does not name to the VO of the same name (but never oneadmin and users). "
        "Default: only where 'vos' is empty.",
        default=None,
    )
    uuid_style: str = setting(
        Choice(AGENT, ONEACCT),
        help="How a VMUUID is written: with its time in UTC, or as oneacct-export wrote it, so that machines which it "
        "has sent already are not counted twice. Once records were sent it must stay.",
        default=AGENT,
    )
    uuid_zone: Optional[str] = setting(
        Text("a time zone's name, or an offset such as +01:00"),
        help="The time zone of the host that ran oneacct-export (uuid_style oneacct).",
        default=None,
        example="Europe/Prague",
    )
    uuid_endpoint: Optional[str] = setting(
        Url("http", "https"),
        help="The endpoint that VMUUIDs begin with, where it is not 'endpoint': that of oneacct-export's settings for "
        "APEL, or the former one when oned moves, since machines would else be counted twice.",
        default=None,
    )
    user_properties: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="The attributes of a user that may hold the DN or Check-in identifier; the first one that is set counts.",
        default=("X509_DN", "IDENTITY"),
    )
    machine_user_properties: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="The attributes of a machine that may say who it is for; they come before those of its owner.",
        default=("USER_X509_DN", "USER_IDENTITY"),
    )
    image_keys: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="The attributes of a disk, image or template that name its appliance; records carry it instead of the "
        "image's id.",
        default=("VMCATCHER_EVENT_AD_MPURI", "CLOUDKEEPER_APPLIANCE_MPURI"),
    )
    public_networks: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="Networks, by name or id, whose addresses count as public although they are not routed everywhere.",
        default=(),
    )

    offer: Optional[OfferSettings] = section(
        OfferSettings, help="What is told to the federation of this cloud, where oned cannot tell it.", optional=True
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse a group of two VOs, and the old style of VMUUIDs without its zone."""
        yield from super().faults()
        if self.uuid_style == ONEACCT and self.uuid_zone is None:
            yield "uuid_zone", "uuid_style oneacct needs it"
        owner: Dict[str, str] = {}
        for vo, entry in self.vos.items():
            for group in entry.all:
                if owner.setdefault(group, vo) != vo:
                    yield "vos", f"group {group!r} is given to {owner[group]!r} and to {vo!r}"

    def vo_of(self, group: str, name: str) -> Optional[str]:
        """Return the VO that a group serves, by its id or its name, or None. No VO is ever guessed."""
        for vo, entry in self.vos.items():
            if group in entry.all or name in entry.all:
                return vo
        by_name = not self.vos if self.group_names_are_vos is None else self.group_names_are_vos
        return name if by_name and name and group not in _SYSTEM_GROUPS else None
