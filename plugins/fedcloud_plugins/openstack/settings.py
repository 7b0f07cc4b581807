"""What the site says of an OpenStack cloud: where it is, who we are there, which project serves which VO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple, Union

from fedcloud_agent.clouds.settings import CloudSettings
from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Either,
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

PASSWORD = "password"  # noqa: S105 -- the kind of login, not a secret
APPLICATION_CREDENTIAL = "application_credential"
OIDC_ACCESS_TOKEN = "oidc_access_token"  # noqa: S105
TOKEN = "token"  # noqa: S105


@dataclass(frozen=True)
class AuthSettings:
    """How to log in to keystone. Use an account of its own with the role reader."""

    auth_url: str = setting(
        Url("https", "http"),
        help="The identity service; /v3 is added when it is missing.",
        example="https://keystone.example.org:5000/v3",
    )
    auth_type: str = setting(
        Choice(PASSWORD, APPLICATION_CREDENTIAL, OIDC_ACCESS_TOKEN, TOKEN),
        help="The kind of login.",
        default=PASSWORD,
    )
    username: Optional[str] = setting(
        Text(),
        help="The account's name (password; application credential by name).",
        default=None,
        example="accounting",
    )
    user_id: Optional[str] = setting(Text(), help="The account's id, instead of name and domain.", default=None)
    user_domain_name: Optional[str] = setting(
        Text(), help="The name of the account's domain.", default=None, example="Default"
    )
    user_domain_id: Optional[str] = setting(Text(), help="The id of the account's domain.", default=None)
    password_file: Optional[Secret] = setting(
        SecretFile(),
        help="The file that holds the account's password.",
        default=None,
        example="/etc/fedcloud-agent/keystone.secret",
    )
    project_name: Optional[str] = setting(
        Text(),
        help="The project to log in to. It may be left out: then each project that serves a VO is logged in to.",
        default=None,
    )
    project_id: Optional[str] = setting(Text(), help="The id of the project to log in to.", default=None)
    project_domain_name: Optional[str] = setting(
        Text(), help="The name of that project's domain. Default: the account's domain.", default=None
    )
    project_domain_id: Optional[str] = setting(Text(), help="The id of that project's domain.", default=None)
    system_scope: Union[bool, str, None] = setting(
        Either(Boolean(), Choice("all")),
        help="Log in to the whole system: lets a system reader list users and projects.",
        default=None,
    )
    application_credential_id: Optional[str] = setting(Text(), help="The application credential's id.", default=None)
    application_credential_name: Optional[str] = setting(
        Text(), help="The application credential's name; needs the account too.", default=None
    )
    application_credential_secret_file: Optional[Secret] = setting(
        SecretFile(), help="The file that holds the application credential's secret.", default=None
    )
    identity_provider: Optional[str] = setting(
        Text(), help="The identity provider as keystone calls it (oidc_access_token).", default=None, example="egi.eu"
    )
    protocol: Optional[str] = setting(
        Text(), help="The federation protocol as keystone calls it (oidc_access_token).", default=None, example="openid"
    )
    access_token_file: Optional[Secret] = setting(
        SecretFile(),
        help="The file that holds the OpenID Connect access token, or the keystone token; something else renews it.",
        default=None,
    )


@dataclass(frozen=True)
class VoSettings:
    """The projects that serve one VO, by name or id."""

    project: Optional[str] = setting(Text(), help="The project's name or id.", default=None, example="vo-example")
    projects: Tuple[str, ...] = setting(
        ListOf(Text()), help="Several projects of the same VO, by name or id.", default=()
    )

    @property
    def all(self) -> Tuple[str, ...]:
        """Every project that is named, in order."""
        return ((self.project,) if self.project else ()) + self.projects


@dataclass(frozen=True)
class OpenStackSettings(CloudSettings):
    """An OpenStack cloud (compute API 2.1 and later)."""

    auth: AuthSettings = section(AuthSettings, help="How to log in.")
    region: Optional[str] = setting(
        Text(), help="The region of the service catalogue. Default: the only one there is.", default=None
    )
    interface: str = setting(
        Choice("public", "internal", "admin"), help="Which addresses of the catalogue to call.", default="public"
    )
    cacert: Optional[Path] = setting(
        AbsolutePath(),
        help="A file or hashed directory of the authorities that sign the cloud's certificates. Default: the system's.",
        default=None,
        example="/etc/grid-security/certificates",
    )
    timeout: int = setting(
        Duration(minimum=1, maximum=3600),
        help="How long to wait for a connection, and for each next piece of an answer.",
        default=60,
    )
    deadline: int = setting(
        Duration(minimum=10, maximum=86400),
        help="How long one listing may take, all its pages together.",
        default=4 * 3600,
    )
    largest_answer: int = setting(
        Size(minimum=1000**2, maximum=4 * 1000**3), help="The largest answer that is read.", default=256 * 1000**2
    )
    page_size: Optional[int] = setting(
        Integer(1, 1000, unit="servers"),
        help="How many servers to ask for at once. Default: 200 where all projects can be listed at once (such answers "
        "may carry 64 kB of user data for each server), else 1000.",
        default=None,
    )
    vos: Mapping[str, VoSettings] = sections(VoSettings, help="The projects of each VO.", example="vo.example.org")
    voms_json: Optional[Path] = setting(
        AbsolutePath(),
        help="A voms.json that says which projects serve which VO, as keystone or the accounting before us read it.",
        default=None,
        example="/etc/keystone/voms.json",
    )
    vo_property: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="The properties of a project that may name its VO; the first one that is set counts.",
        default=("accounting:VO", "VO", "egi.eu:VO"),
    )
    project_tag: Optional[str] = setting(
        Text(),
        help="Of the projects that 'vos' and 'voms_json' do not name, account only those with this tag.",
        default=None,
        example="caso",
    )
    wall: str = setting(
        Choice("lifetime", "active"),
        help="What WallDuration counts: the whole life of a machine, or only the time in which it ran. 'active' reads "
        "the actions on every machine that was ever touched after its start: one more call for each.",
        default="lifetime",
    )
    identity_order: Tuple[str, ...] = setting(
        ListOf(Choice("dn", "unique_id", "attribute", "name"), minimum=1),
        help="Where GlobalUserName comes from, best first: a user name that is a DN, the identifier at the identity "
        "provider, the attribute below, the user name as it is.",
        default=("dn", "unique_id", "attribute", "name"),
    )
    identity_attribute: Optional[str] = setting(
        Text(),
        help="The attribute of a keystone user that holds a DN or Check-in identifier.",
        default=None,
        example="description",
    )
    public_networks: Tuple[str, ...] = setting(
        ListOf(Text()),
        help="Networks whose fixed addresses count as public although they are not routed everywhere.",
        default=(),
    )
    count_fixed_addresses: bool = setting(
        Boolean(), help="Count fixed addresses that are routed globally, beside floating ones.", default=True
    )
    image_property: str = setting(
        Text(),
        help="The image property that names its appliance; records carry it instead of the image's id.",
        default="vmcatcher_event_ad_mpuri",
    )
    flavor_benchmark_type: str = setting(
        Text(), help="The flavor property that names the benchmark.", default="accounting:benchmark_type"
    )
    flavor_benchmark_value: str = setting(
        Text(), help="The flavor property that holds the benchmark of one core.", default="accounting:benchmark_value"
    )
    authentication: Tuple[str, ...] = setting(
        ListOf(Text("a word without blanks or commas", pattern=r"[!-+\--~]+")),
        help="How users log in to this cloud, best first, for the information system.",
        default=("oidc",),
    )
    count_machines: bool = setting(
        Boolean(),
        help="Count the machines of each project by state for the information system, which lists every server. "
        "'false' tells only how many there are, as the quota has it.",
        default=True,
    )
