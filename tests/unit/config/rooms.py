"""Tables with one of everything, and a way to write and load a configuration of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from fedcloud_agent.clouds.settings import CloudSettings
from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.config.faults import Fault, FaultyConfigurationError
from fedcloud_agent.config.loading import load
from fedcloud_agent.config.settings import DirectoriesSettings
from fedcloud_agent.settings import (
    Boolean,
    Date,
    Duration,
    Either,
    Integer,
    ListOf,
    Schedule,
    Secret,
    SecretFile,
    Sections,
    Text,
    Url,
    When,
    section,
    sections,
    setting,
)
from fedcloud_agent.site.settings import SiteSettings
from fedcloud_agent.store.settings import StoreSettings


@dataclass(frozen=True)
class Auth:
    """How to log in."""

    auth_url: str = setting(Url("https"), help="Where to log in.", example="https://keystone.example.org:5000/v3")
    password_file: Secret = setting(SecretFile(), help="The password.", example="/etc/fedcloud-agent/keystone.secret")


@dataclass(frozen=True)
class Project:
    """Which project serves a VO."""

    project: str = setting(Text(), help="Its name.", example="vo-example")


@dataclass(frozen=True)
class Steam(CloudSettings):
    """A cloud of steam."""

    auth: Auth = section(Auth, help="How to log in.")
    vos: Mapping[str, Project] = sections(Project, help="The VOs.", example="vo.example.org")
    pressure: int = setting(Integer(1, 9), help="How hot.", default=3)


class _Exploding:
    pass


@dataclass(frozen=True)
class Bursting(CloudSettings):
    """A cloud whose table has a bug."""

    def faults(self) -> Iterator[Tuple[str, str]]:
        raise RuntimeError("the boiler burst")


@dataclass(frozen=True)
class Stomp:
    """A broker."""

    type: str = setting(Text(), help="Which kind.", example="stomp")
    brokers: Tuple[str, ...] = setting(
        ListOf(Url("stomp", "stomp+ssl"), minimum=1),
        help="Brokers, tried in order.",
        example=["stomp+ssl://broker.example.org:6162"],
    )


@dataclass(frozen=True)
class Retry:
    """When to try again."""

    after: int = setting(Duration(1, 3600), help="How long to wait.", default=60)


@dataclass(frozen=True)
class Accounting:
    """What is sent."""

    enabled: bool = setting(Boolean(), help="Whether it runs.", default=True)
    since: Optional[int] = setting(Date(), help="From which day on.", default=None, example="2026-11-01")
    schedule: When = setting(Schedule(), help="When it runs.", default=When(every=3600))
    limit: object = setting(Either(Integer(0, 5), Duration()), help="A number or a time.", default=3)
    destinations: Mapping[str, Any] = sections(
        variants=lambda: {"stomp": Stomp}, help="Where records go.", example="central"
    )
    retry: Retry = section(Retry, help="When to try again.")
    second: Optional[Retry] = section(Retry, help="And then.", optional=True)


def _variants() -> Mapping[str, Any]:
    return {"steam": Steam, "bursting": Bursting, "rusty": "ImportError: no valve", "odd": _Exploding}


ROOMS: Dict[str, Any] = {
    "site": SiteSettings,
    "clouds": Sections(
        None,
        _variants,
        help="The clouds.",
        key=Text("a name of letters, digits, dots and dashes", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        example="main",
    ),
    "accounting": Accounting,
    "store": StoreSettings,
    "directories": DirectoriesSettings,
}

GOOD = """\
site: EXAMPLE-SITE
clouds:
  main:
    type: steam
    auth: {auth_url: "https://keystone.example.org:5000/v3", password_file: /etc/steam.secret}
    vos: {vo.example.org: {project: vo-example}, ops: {project: "0640"}}
accounting:
  since: 2026-11-01
  destinations:
    central: {type: stomp, brokers: ["stomp+ssl://broker.example.org:6162"]}
"""


def write(directory: Path, main: Optional[str] = GOOD, **fragments: str) -> Path:
    """Write agent.yaml and conf.d; a fragment's name is its keyword."""
    directory.mkdir(exist_ok=True)
    if main is not None:
        (directory / "agent.yaml").write_text(main, "utf-8")
    for name, text in fragments.items():
        (directory / "conf.d").mkdir(exist_ok=True)
        (directory / "conf.d" / f"{name}.yaml").write_text(text, "utf-8")
    return directory


def read(directory: Path) -> Configuration:
    return load(directory, ROOMS)


def faults_of(directory: Path) -> List[Fault]:
    """Return all faults, those that disable a cloud and those that stop everything."""
    try:
        configuration = read(directory)
    except FaultyConfigurationError as error:
        return error.faults
    return [fault for some in configuration.disabled.values() for fault in some]
