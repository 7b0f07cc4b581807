"""Trees read from servers: ours, or any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Optional

from fedcloud_agent.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.infosys.entry import Entry


def own_url(state: Path) -> str:
    """Return the URL of our own server on this machine. Raises UnreachableError."""
    from fedcloud_agent.infosys.server import answering
    from fedcloud_agent.infosys.slapd.serving import path_of

    found = answering(path_of(state))
    if found is None:
        raise UnreachableError(
            "no server of ours answers on this machine",
            hint="'systemctl status fedcloud-agent-infosys' tells why; '--url' reads another one",
        )
    return found.ldapi


def tree(url: str, base: Optional[str], deadline: float = 60.0) -> Iterator[Entry]:
    """Yield the tree below a base (all of it, if there is none) of a server. Raises LdapError, UsageError."""
    from fedcloud_agent.infosys.glue20 import SUFFIX
    from fedcloud_agent.infosys.server import read
    from fedcloud_agent.ldap import Directory

    if not url.startswith(("ldap://", "ldaps://", "ldapi://")):
        raise UsageError(f"{url!r} is no URL of a directory", hint="such as ldap://bdii.example.org:2170")
    with Directory(url) as directory:
        yield from read(directory, base or SUFFIX, deadline=deadline)


def public_url(configuration: Configuration) -> str:
    """Return the URL under which readers know this site: what is registered in GOCDB as GIIS URL."""
    import socket

    from fedcloud_agent.infosys.glue20 import base_of
    from fedcloud_agent.infosys.settings import InfosysSettings
    from fedcloud_agent.site.settings import SiteSettings

    settings = configuration.room(InfosysSettings)
    host = settings.host or socket.getfqdn()
    return f"ldap://{host}:{settings.port}/{base_of(configuration.room(SiteSettings).name)}"
