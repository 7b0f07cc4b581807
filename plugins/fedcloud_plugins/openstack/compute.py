"""The compute API as one token sees it: its version, its clock, its listings page by page, single servers."""

from __future__ import annotations

import logging
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union
from urllib.parse import parse_qs, quote, urlsplit

from fedcloud_agent.clock import now
from fedcloud_agent.errors import ConfigurationError, RemoteDataError, UnreachableError
from fedcloud_agent.http import Answer, Client
from fedcloud_plugins.openstack.login import Login
from fedcloud_plugins.openstack.paging import PageOf, read_all

log = logging.getLogger(__name__)

PREFERRED: Tuple[Tuple[int, int], ...] = ((2, 69), (2, 66), (2, 47), (2, 1))
"""2.69 shows servers of a cell that is down; from 2.47 a server carries its flavor; 2.1 is the least there is."""

Query = Mapping[str, Union[str, int]]
_RESTARTS = 3
_DETAIL = "/servers/detail"


class Version(NamedTuple):
    """A microversion of the compute API."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def offered_versions(document: Any, place: str) -> Tuple[Version, Version]:
    """Return the lowest and the highest microversion of a version document (of one version or of all).

    Raises RemoteDataError when the document is none.
    """
    try:
        offered = [document["version"]] if "version" in document else document["versions"]
        (entry,) = (v for v in offered if v["id"].startswith("v2.") and v.get("version"))
        low, high = (Version(*map(int, entry[key].split("."))) for key in ("min_version", "version"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RemoteDataError(f"{place} answered no version document of the compute API: {document!r:.200}") from error
    return low, high


def choose_version(document: Any, place: str) -> Version:
    """Return the best microversion that both sides speak, out of a version document (of one version or of all).

    Raises RemoteDataError when the document is none, ConfigurationError when the cloud is too old or too new.
    """
    low, high = offered_versions(document, place)
    for version in PREFERRED:
        if low <= version <= high:
            return Version(*version)
    raise ConfigurationError(f"{place} speaks compute API {low} to {high}, of which we speak none")


class _MarkerGoneError(Exception):
    """The server at which a page begins was purged from the database meanwhile."""


@dataclass
class ServiceClock:
    """The time that the compute service told with its latest answer, whichever token asked."""

    date: Optional[int] = None
    offset: int = 0
    """The service's clock minus ours, in seconds."""
    heard: float = 0.0

    def hear(self, answer: Answer) -> None:
        """Take the Date header of an answer. Raises RemoteDataError when it has none that can be read."""
        self.date = answer.date()
        self.offset = self.date - now()
        self.heard = time.monotonic()


@dataclass
class Compute:
    """One endpoint with one token."""

    client: Client
    login: Login
    url: str
    deadline: float
    """Seconds for one listing."""
    clock: ServiceClock
    version: Optional[Version] = None
    highest: Optional[Version] = None
    """The best that the service speaks; with ``version`` known once it was asked."""

    def negotiate(self) -> Version:
        """Ask which versions there are and choose one. Raises RemoteDataError also when the Date header is missing."""
        document = self._document().json()
        self.version = choose_version(document, self.url)
        self.highest = offered_versions(document, self.url)[1]
        log.debug("%s: compute API %s", self.url, self.version)
        return self.version

    def _document(self) -> Answer:
        # an address may end in the project's id, below which there is no version document
        answer = self.client.get(re.sub(r"(/v2(?:\.\d+)?)/.*", r"\1", self.url) + "/", accept=(200, 300))
        self.clock.hear(answer)
        return answer

    def time(self) -> int:
        """Return the service's time of an answer that we have already; one of the last minute, else a new one."""
        if self.clock.date is None or time.monotonic() - self.clock.heard > 60:
            self._document()
        assert self.clock.date is not None
        return self.clock.date

    def get(
        self,
        path: str,
        query: Optional[Query] = None,
        accept: Tuple[int, ...] = (200,),
        version: Optional[Version] = None,
    ) -> Answer:
        """Call the compute API, at the version that was negotiated unless another one is wanted."""
        version = version or self.version or self.negotiate()
        answer = self.client.get(
            self.url + path,
            params=query,
            headers={"OpenStack-API-Version": f"compute {version}", "X-OpenStack-Nova-API-Version": str(version)},
            credential=self.login,
            accept=accept,
        )
        self.clock.hear(answer)
        return answer

    def may_list_all(self) -> bool:
        """Tell whether this token may list the servers of all projects."""
        answer = self.get(_DETAIL, {"all_tenants": 1, "limit": 1}, accept=(200, 403))
        if answer.status == 200:
            _body(answer, "servers")
        return answer.status == 200

    def server(self, uuid: str) -> Optional[Dict[str, Any]]:
        """Return one server as the API describes it, or None if the API itself says that there is none."""
        answer = self.get(f"/servers/{quote(uuid, safe='')}", accept=(200, 404))
        body = answer.json()
        if answer.status == 404:
            if isinstance(body, dict) and "itemNotFound" in body:
                return None
            raise RemoteDataError(f"{answer.url} answered 404, but not in the words of the compute API: {body!r:.200}")
        if not isinstance(body, dict) or not isinstance(body.get("server"), dict):
            raise RemoteDataError(f"{answer.url} answered no server: {body!r:.200}")
        found: Dict[str, Any] = body["server"]
        return found

    def actions(self, uuid: str) -> Optional[List[Any]]:
        """Return what was done to a server, as recorded, or None if this token may not read it or nothing is kept."""
        answer = self.get(f"/servers/{quote(uuid, safe='')}/os-instance-actions", accept=(200, 403, 404))
        if answer.status != 200:
            return None
        rows: List[Any] = _body(answer, "instanceActions")["instanceActions"]
        return rows

    def flavors(self) -> List[Any]:
        """Return all flavors, those of single projects too where the token may see them."""
        return self.listed("/flavors/detail", "flavors", {"is_public": "None"}) or []

    def listed(
        self,
        path: str,
        key: str,
        query: Optional[Query] = None,
        *,
        version: Optional[Version] = None,
        forbidden: bool = False,
    ) -> Optional[List[Any]]:
        """Return all of a list, or (with ``forbidden``) None when this token may not read it.

        Raises what a page raises; RemoteDataError when there is no end to them, UnreachableError at the deadline.
        """
        refused = False

        def page(marker: Optional[str]) -> PageOf:
            nonlocal refused
            asked = {**(query or {}), "marker": marker} if marker is not None else query
            answer = self.get(path, asked, (200, 403) if forbidden and marker is None else (200,), version)
            if answer.status == 403:
                refused = True
                return [], None
            body = _body(answer, key)
            return body[key], next_marker(body.get(f"{key}_links"), path)

        rows = read_all(page, self.url + path, self.deadline)
        return None if refused else rows

    def flavor(self, flavor_id: str) -> Optional[Dict[str, Any]]:
        """Return a flavor that the list does not show, or None if there is none any more."""
        answer = self.get(f"/flavors/{quote(flavor_id, safe='')}", accept=(200, 404))
        body = answer.json()
        return body.get("flavor") if answer.status == 200 and isinstance(body, dict) else None

    def pages(self, query: Query) -> Iterator[List[Any]]:
        """Yield the rows of a listing page by page, the next one being fetched while one is worked on.

        When the marker of a page is purged meanwhile the listing begins anew, so rows may come twice. Raises what a
        page raises; RemoteDataError when paging does not come to an end, UnreachableError at the deadline.
        """
        end = time.monotonic() + self.deadline
        for _ in range(_RESTARTS):
            try:
                yield from self._run(query, end)
            except _MarkerGoneError as error:
                log.info("%s: %s; the listing begins anew", self.url, error)
                continue
            return
        raise RemoteDataError(f"{self.url}{_DETAIL} lost the marker of its own page {_RESTARTS} times")

    def _run(self, query: Query, end: float) -> Iterator[List[Any]]:
        seen: set[str] = set()
        with ThreadPoolExecutor(1, thread_name_prefix="next-page") as ahead:
            awaited: Optional[Future[Tuple[List[Any], Optional[str]]]] = ahead.submit(self._page, query, None)
            while awaited is not None:
                rows, marker = awaited.result()
                if time.monotonic() > end:
                    raise UnreachableError(f"{self.url}{_DETAIL} was not read to its end in {self.deadline:.0f} s")
                if marker is not None:
                    if marker in seen:
                        raise RemoteDataError(f"{self.url}{_DETAIL} pages in a circle: marker {marker} came twice")
                    seen.add(marker)
                # an empty page is the end, whatever link it has
                awaited = ahead.submit(self._page, query, marker) if marker is not None and rows else None
                if rows:
                    yield rows

    def _page(self, query: Query, marker: Optional[str]) -> Tuple[List[Any], Optional[str]]:
        if marker is None:
            answer = self.get(_DETAIL, query)
        else:
            answer = self.get(_DETAIL, {**query, "marker": marker}, accept=(200, 400))
            if answer.status == 400:
                said = answer.explanation()
                if "marker" in said.lower():
                    raise _MarkerGoneError(said)
                raise RemoteDataError(f"{self.url}{_DETAIL} refuses its own next page: {said}")
        body = _body(answer, "servers")
        return body["servers"], next_marker(body.get("servers_links"), _DETAIL)


def _body(answer: Answer, key: str) -> Dict[str, Any]:
    """Return the parsed answer, whose ``key`` is a list."""
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get(key), list):
        raise RemoteDataError(f"{answer.url.partition('?')[0]} answered without a list of {key}: {body!r:.200}")
    return body


def next_marker(links: Any, path: str) -> Optional[str]:
    """Return the marker of the next page, or None when the links of this one have no next.

    Of the link only the marker is used, so that it cannot lead to another host. Raises RemoteDataError when it leads
    to another path, or is not shaped as a link.
    """
    try:
        (href,) = [link["href"] for link in links or () if link["rel"] == "next"] or [None]
        if href is None:
            return None
        parts = urlsplit(href)
        (marker,) = parse_qs(parts.query)["marker"]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise RemoteDataError(f"the links of {path} cannot be followed: {links!r:.300}") from error
    if not parts.path.endswith(path):
        raise RemoteDataError(f"the next page of {path} is said to be at {parts.path!r:.200}")
    return marker
