"""The address at which people use the cloud. Pure."""

from __future__ import annotations

import ipaddress
from typing import Optional, Tuple
from urllib.parse import urlsplit

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Endpoint
from fedcloud_plugins.opennebula.description.settings import PublicSettings

OCCI = "OCCI"
OPENNEBULA = "OpenNebula"


def door_of(
    url: str, product: str, version: str, told: Optional[str], public: Optional[PublicSettings]
) -> Tuple[Endpoint, Tuple[Problem, ...]]:
    """Return the endpoint that is published, and why nobody could use it.

    ``url`` is what the agent uses itself, ``version`` that of the interface, ``told`` that of the program as far as
    the cloud told it.
    """
    if public is None:
        endpoint = Endpoint(url, product, version, implementation=product, implementation_version=told)
        return endpoint, tuple(_for_nobody(url))
    own = public.interface in (OPENNEBULA, product)
    return Endpoint(
        public.url,
        public.interface,
        public.interface_version or (version if own else None),
        implementation=public.implementation or product,
        implementation_version=public.implementation_version or (None if public.implementation else told),
        authentication=public.authentication,
    ), ()


def _for_nobody(url: str) -> Tuple[Problem, ...]:
    host = urlsplit(url).hostname or ""
    try:
        inside = not ipaddress.ip_address(host).is_global
    except ValueError:
        inside = "." not in host or host.endswith((".localdomain", ".local"))
    if not inside:
        return ()
    return (
        Problem(url, "people elsewhere cannot reach it, so it is no endpoint for them; say which is: offer.public.url"),
    )
