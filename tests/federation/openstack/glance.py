"""The image service: versions, the list of images with its pages, and single images, as glance answers."""

from __future__ import annotations

from typing import Any, Dict, List, Optional
from urllib.parse import urlencode

from tests.federation.openstack.clock import seconds_text
from tests.federation.openstack.identity import Identity, Token
from tests.federation.openstack.inventory import Image
from tests.federation.openstack.wire import (
    Request,
    Response,
    encode,
    glance_answer,
    glance_unauthorized,
    plain_error,
)

PAGE, MAXIMUM = 25, 1000
_MINORS = (15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
_PLAIN = frozenset({"id", "name", "status", "owner", "disk_format", "container_format", "checksum"})
_PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir", "sort"})


class Glance:
    """Answers below /image. Links in its bodies are paths without that prefix, as with a real one behind a proxy."""

    def __init__(self, identity: Identity, images: Dict[str, Image], base: str) -> None:
        self.identity = identity
        self.images = images
        self.root = base + "/image"
        self.auth_url = base + "/identity/v3"

    def answer(self, request: Request) -> Response:
        """Return the answer to a request whose path starts behind the prefix."""
        path = request.path.rstrip("/")
        if path in ("", "/versions"):
            links = [{"rel": "self", "href": self.root + "/v2/"}]
            versions = [
                {"id": f"v2.{minor}", "status": "CURRENT" if minor == _MINORS[0] else "SUPPORTED", "links": links}
                for minor in _MINORS
            ]
            status = 300 if path == "" else 200
            return Response(status, [("Content-Type", "application/json")], encode({"versions": versions}))
        token = self.identity.token(request.headers.get("X-Auth-Token"))
        if token is None:
            return glance_unauthorized(self.auth_url)
        parts = path.split("/")[2:] if path.startswith("/v2/") else []
        if request.method == "GET" and parts == ["images"]:
            return self._list(request, token)
        if request.method == "GET" and len(parts) == 2 and parts[0] == "images":
            image = self.images.get(parts[1])
            if image is None or not _may_see(image, token):
                return plain_error(404, f"No image found with ID {parts[1]}")
            return glance_answer(_document(image))
        return plain_error(404, "The resource could not be found.")

    def _list(self, request: Request, token: Token) -> Response:
        given = request.first("limit")
        if given is not None and not given.lstrip("-").isdigit():
            return plain_error(400, "limit param must be an integer")
        if given is not None and int(given) < 0:
            return plain_error(400, "limit param must be positive")
        limit = PAGE if given is None else min(int(given), MAXIMUM)
        found = [image for image in self.images.values() if _listed(image, token, request)]
        found = [image for image in found if _matches(image, request)]
        found.sort(key=lambda image: (image.created, image.id), reverse=True)
        marker = request.first("marker")
        if marker is not None:
            last = self.images.get(marker)
            if last is None:
                return plain_error(400, f"No image found with ID {marker}")
            found = [image for image in found if (image.created, image.id) < (last.created, last.id)]
        rows = found[:limit]
        document: Dict[str, Any] = {"images": [_document(image) for image in rows]}
        document["first"] = _path([pair for pair in request.query if pair[0] != "marker"])
        document["schema"] = "/v2/schemas/images"
        if rows and len(rows) == limit:
            pairs = [pair for pair in request.query if pair[0] != "marker"]
            document["next"] = _path([*pairs, ("marker", rows[-1].id)])
        return glance_answer(document)


def _path(pairs: List[Any]) -> str:
    return "/v2/images" + ("?" + urlencode(pairs) if pairs else "")


def _own(image: Image, token: Token) -> bool:
    return token.project is not None and image.owner == token.project.id


def _may_see(image: Image, token: Token) -> bool:
    shared = image.visibility == "shared" and token.project is not None and token.project.id in image.members
    return token.is_admin or _own(image, token) or shared or image.visibility in ("public", "community")


def _listed(image: Image, token: Token, request: Request) -> bool:
    """Tell whether an image is in the caller's list: narrower than what may be seen by id."""
    wanted = request.first("visibility")
    if wanted not in (None, "all") and image.visibility != wanted:
        return False
    if not _may_see(image, token):
        return False
    if token.is_admin or _own(image, token):
        return True
    if image.visibility == "community":
        return wanted is not None
    if image.visibility == "shared":
        answer = request.first("member_status") or "accepted"
        assert token.project is not None
        return answer in ("all", image.members[token.project.id])
    return True


def _matches(image: Image, request: Request) -> bool:
    hidden = (request.first("os_hidden") or "false").lower() == "true"
    if image.os_hidden != hidden:
        return False
    for name, value in request.query:
        if name in _PAGING or name in ("visibility", "member_status", "os_hidden"):
            continue
        if name == "tag":
            if value not in image.tags:
                return False
        elif name == "protected":
            if image.protected != (value.lower() == "true"):
                return False
        elif name in _PLAIN:
            if getattr(image, name) != value:
                return False
        elif image.properties.get(name) != value:
            return False
    return True


def _document(image: Image) -> Dict[str, Any]:
    active = image.status == "active"
    virtual: Optional[int] = image.size if image.disk_format == "raw" else None
    document: Dict[str, Any] = {
        **image.properties,
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "visibility": image.visibility,
        "size": image.size if active else None,
        "virtual_size": virtual if active else None,
        "status": image.status,
        "checksum": image.checksum if active else None,
        "protected": image.protected,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "owner": image.owner,
        "os_hidden": image.os_hidden,
        "os_hash_algo": "sha512" if active else None,
        "os_hash_value": image.os_hash_value if active else None,
        "id": image.id,
        "created_at": seconds_text(image.created),
        "updated_at": seconds_text(image.updated),
        "tags": list(image.tags),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
    if active:
        document["stores"] = "store"
    return document
