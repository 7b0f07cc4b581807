"""The addresses at which people use the cloud, out of its catalogue."""

from __future__ import annotations

import re
from typing import Optional, Tuple
from urllib.parse import urlsplit

from fedcloud_agent.clouds.offer import Endpoint, Storage
from fedcloud_plugins.openstack.compute import Version
from fedcloud_plugins.openstack.hypervisors import PRODUCT
from fedcloud_plugins.openstack.login import Login, identity_url
from fedcloud_plugins.openstack.settings import OpenStackSettings

_PUBLIC = "public"
_ACCOUNT = re.compile(r"/(?:AUTH_|KEY_)?(?:[0-9a-f]{32}|%\(\w+\)s|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", re.I)
"""The end of an object store's address that is one project's own."""
_VERSION = re.compile(r"/v(\d+(?:\.\d+)*)(?:/|$)")


def compute_endpoint(login: Login, url: str, highest: Optional[Version], settings: OpenStackSettings) -> Endpoint:
    """Return where people begin: they log in at keystone, whose catalogue leads them to nova at ``url``.

    The address is keystone's public one in the catalogue, else the one that we log in at.
    """
    public = login.endpoint("identity", settings.region, _PUBLIC) or settings.auth.auth_url
    return Endpoint(
        url=identity_url(re.sub(r"/v2\.0/?$", "", public)),
        interface="OpenStack",
        version=f"v{_version_of(url) or '2.1'}",
        implementation=PRODUCT,
        implementation_version=None if highest is None else str(highest),
        implementor="OpenStack Foundation",
        authentication=settings.authentication,
    )


def storage(login: Login, settings: OpenStackSettings) -> Tuple[Storage, ...]:
    """Return the object store of the catalogue, if it has one."""
    url = login.endpoint("object-store", settings.region, _PUBLIC)
    if url is None:
        return ()
    place = _ACCOUNT.sub("", url)
    door = Endpoint(
        url=place, interface="Swift", version=f"v{_version_of(place) or '1'}", authentication=settings.authentication
    )
    return (Storage("object", (door,), ((urlsplit(url).scheme, "1.1"),)),)


def _version_of(url: str) -> Optional[str]:
    """Return the version that an address carries in its path."""
    found = _VERSION.search(urlsplit(url).path)
    return found.group(1) if found else None
