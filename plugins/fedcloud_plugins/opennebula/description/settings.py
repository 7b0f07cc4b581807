"""What the site says of its offer, where oned itself cannot tell it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple

from fedcloud_agent.settings import AbsolutePath, Integer, ListOf, Text, Url, section, sections, setting

_WORD = r"[!-+\--~]+"
_FORM = r"[!-+\--~]*\{id\}[!-+\--~]*"


@dataclass(frozen=True)
class PublicSettings:
    """The address at which people use the cloud."""

    url: str = setting(
        Url("https", "http"),
        help="The address that people use, such as that of an OCCI server in front of oned.",
        example="https://occi.example.org:11443",
    )
    interface: str = setting(
        Text("a word without blanks or commas", pattern=_WORD),
        help="The interface's name: OCCI, or OpenNebula for XML-RPC.",
        default="OCCI",
    )
    interface_version: Optional[str] = setting(
        Text("a word without blanks or commas", pattern=_WORD),
        help="The interface's version. Default for OpenNebula: that of oned.",
        default=None,
        example="1.1",
    )
    implementation: Optional[str] = setting(
        Text(), help="The program behind it. Default: OpenNebula.", default=None, example="rOCCI-server"
    )
    implementation_version: Optional[str] = setting(Text(), help="The program's version.", default=None)
    authentication: Tuple[str, ...] = setting(
        ListOf(Text("a word", pattern=_WORD)), help="How people log in to it, best first.", default=()
    )


@dataclass(frozen=True)
class InstanceTypeSettings:
    """A size in which machines can be had."""

    cpu: int = setting(Integer(1, 100_000, unit="cores"), help="Its cores.", example=2)
    memory: int = setting(Integer(1, 1_000_000_000, unit="MB"), help="Its memory.", example=4096)
    disk: Optional[int] = setting(
        Integer(0, 1_000_000_000, unit="GB"), help="Its disk, where the size sets it.", default=None
    )
    ephemeral: Optional[int] = setting(
        Integer(0, 1_000_000_000, unit="GB"), help="A second disk that comes with it.", default=None
    )
    title: Optional[str] = setting(Text(), help="Its name for people. Default: the key.", default=None)


@dataclass(frozen=True)
class OfferSettings:
    """What is told to the federation of an OpenNebula cloud."""

    public: Optional[PublicSettings] = section(
        PublicSettings, help="The address at which people use the cloud. Default: 'endpoint'.", optional=True
    )
    image_ids: str = setting(
        Text("a text with {id} in it, without blanks or commas", pattern=_FORM),
        help="What people name an image by: {id} is the template's number, {term} its name in small letters and "
        "digits, everything else made _. Servers of rOCCI 1 call it SCHEME#uuid_{term}_{id}.",
        default="{id}",
        example="https://occi.example.org:11443/occi/infrastructure/os_tpl#uuid_{term}_{id}",
    )
    instance_types: Mapping[str, InstanceTypeSettings] = sections(
        InstanceTypeSettings,
        help="The sizes of machines. OpenNebula has none; default: those of 'instance_type_files', else the resource "
        "templates of rOCCI 2 where the public interface is OCCI, else the sizes that templates have.",
        example="small",
    )
    instance_type_ids: str = setting(
        Text("a text with {id} in it, without blanks or commas", pattern=_FORM),
        help="What people name a size by: {id} is its key below 'instance_types', or its identifier in rOCCI 2.",
        default="{id}",
        example="http://fedcloud.egi.eu/occi/compute/flavour/1.0#{id}",
    )
    instance_type_files: Optional[Path] = setting(
        AbsolutePath(),
        help="The directory of the resource templates of rOCCI 1, a JSON file for each size; read where "
        "'instance_types' is empty.",
        default=None,
        example="/etc/occi-server/backends/opennebula/fixtures/resource_tpl",
    )
