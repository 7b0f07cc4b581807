"""The images of the cloud: which appliance of the federation each one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set, Tuple, Union

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.http import Client
from fedcloud_plugins.openstack.compute import next_marker
from fedcloud_plugins.openstack.login import Login

PAGE = 1000
"""The most that glance gives at once."""


@dataclass
class Appliances:
    """What images are called in records, by id: their property ``name`` if they have it, else the id itself.

    Images are listed when an unknown one is met, once for each token, hidden ones only if need be. What a listing
    raises is raised: a record must not name an image by its id in one run and by its appliance in the next.
    """

    client: Client
    name: str
    known: Dict[str, str] = field(default_factory=dict)
    problems: List[Problem] = field(default_factory=list)
    _listed: Set[Tuple[Login, str]] = field(default_factory=set)

    def learn(self, ids: Iterable[str], login: Login, url: Optional[str]) -> Mapping[str, str]:
        """Return the names of images, after listing those that ``login`` may see at ``url`` if any is new."""
        unknown = set(ids) - self.known.keys()
        for hidden in ("false", "true"):
            if unknown and url is not None and (login, hidden) not in self._listed:
                self._listed.add((login, hidden))
                self._list(login, url, hidden)
                unknown -= self.known.keys()
        for id_ in unknown:
            # deleted meanwhile, or of another project
            self.known[id_] = id_
        return self.known

    def _list(self, login: Login, url: str, hidden: str) -> None:
        seen: Set[str] = set()
        query: Dict[str, Union[str, int]] = {"limit": PAGE, "os_hidden": hidden}
        while True:
            answer = self.client.get(f"{url}/images", params=query, credential=login, accept=(200, 403))
            if answer.status == 403:
                self.problems.append(Problem("images", "this account may not list them; records name them by their id"))
                return
            body = answer.json()
            rows = body.get("images") if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise RemoteDataError(f"{url}/images answered without a list of images: {body!r:.200}")
            for row in rows:
                self._take(row)
            following = body.get("next")
            marker = next_marker([{"rel": "next", "href": following}], "/images") if following and rows else None
            if marker is None or marker in seen:
                return
            seen.add(marker)
            query["marker"] = marker

    def _take(self, row: Any) -> None:
        try:
            id_, appliance = row["id"], row.get(self.name)
        except (TypeError, KeyError, AttributeError) as error:
            raise RemoteDataError(f"an image without id is in the list of images: {row!r:.200}") from error
        self.known[id_] = appliance if isinstance(appliance, str) and appliance else id_
