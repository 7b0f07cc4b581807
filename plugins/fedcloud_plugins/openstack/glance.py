"""The images that one token is shown, all of them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Union

from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.http import Client
from fedcloud_plugins.openstack.compute import next_marker
from fedcloud_plugins.openstack.login import Login
from fedcloud_plugins.openstack.paging import PageOf, read_all

_PAGE = 1000
"""The most that glance gives at once."""


def active_images(client: Client, login: Login, url: str, deadline: float) -> Optional[List[Any]]:
    """Return the images of ``url`` that can be used and are not hidden; None when this token may list none at all.

    Raises what a page raises; RemoteDataError when there is no end to them, UnreachableError at the deadline (seconds).
    """
    refused = False

    def page(marker: Optional[str]) -> PageOf:
        nonlocal refused
        query: Dict[str, Union[str, int]] = {"limit": _PAGE, "status": "active"}
        if marker is not None:
            query["marker"] = marker
        answer = client.get(
            f"{url}/images", params=query, credential=login, accept=(200, 403) if marker is None else (200,)
        )
        if answer.status == 403:
            refused = True
            return [], None
        body = answer.json()
        rows = body.get("images") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise RemoteDataError(f"{url}/images answered without a list of images: {body!r:.200}")
        following = body.get("next")
        return rows, next_marker([{"rel": "next", "href": following}], "/images") if following else None

    found = read_all(page, f"{url}/images", deadline)
    return None if refused else found
