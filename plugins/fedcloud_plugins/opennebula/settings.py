"""What the site says of an OpenNebula cloud: which group serves which VO, and how machines are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from fedcloud_agent.clouds.settings import CloudSettings
from fedcloud_agent.settings import Boolean, Choice, ListOf, Text, Url, sections, setting

AGENT = "agent"
ONEACCT = "oneacct"

_SYSTEM_GROUPS = ("0", "1")


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
    vos: Mapping[str, VoSettings] = sections(VoSettings, help="The groups of each VO.", example="vo.example.org")
    group_names_are_vos: Optional[bool] = setting(
        Boolean(), help="Account the groups that 'vos' does not name to the VO of the same name.", default=None
    )
    uuid_style: str = setting(Choice(AGENT, ONEACCT), help="How a VMUUID is written.", default=AGENT)
    uuid_zone: Optional[str] = setting(
        Text(), help="The time zone of the host that ran oneacct-export.", default=None, example="Europe/Prague"
    )
    uuid_endpoint: Optional[str] = setting(
        Url("http", "https"), help="The endpoint that VMUUIDs begin with, where it is not 'endpoint'.", default=None
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
        help="The attributes of a disk, image or template that name its appliance.",
        default=("VMCATCHER_EVENT_AD_MPURI", "CLOUDKEEPER_APPLIANCE_MPURI"),
    )
    public_networks: Tuple[str, ...] = setting(
        ListOf(Text()), help="Networks, by name or id, whose addresses count as public in any case.", default=()
    )

    def vo_of(self, group: str, name: str) -> Optional[str]:
        """Return the VO that a group serves, by its id or its name, or None. No VO is ever guessed."""
        for vo, entry in self.vos.items():
            if group in entry.all or name in entry.all:
                return vo
        by_name = not self.vos if self.group_names_are_vos is None else self.group_names_are_vos
        return name if by_name and name and group not in _SYSTEM_GROUPS else None
