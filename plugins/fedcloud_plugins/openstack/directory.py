"""What keystone knows: the projects and the VO that each serves, and who the users are."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.http import Answer, Client
from fedcloud_agent.site.identity import first_known, slash_dn
from fedcloud_agent.site.shares import vo_of
from fedcloud_plugins.openstack.login import Login

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """A project of the cloud that serves a VO."""

    id: str
    name: str
    vo: str
    enabled: bool = True
    description: Optional[str] = None


@dataclass(frozen=True)
class Selection:
    """What the site says of projects: VOs by a project's name or id, from ``vos`` and from voms.json."""

    configured: Mapping[str, str]
    voms_json: Mapping[str, str]
    properties: Sequence[str]
    tag: Optional[str]


@dataclass
class Keystone:
    """The identity API as one token sees it."""

    client: Client
    login: Login
    url: str

    def listed(self, path: str, key: str, *, absent: bool = False) -> Optional[List[Dict[str, Any]]]:
        """Return all of a list, or None when this token may not read it (with ``absent``: or when there is none)."""
        found: List[Dict[str, Any]] = []
        marker: Optional[str] = None
        seen: Set[str] = set()
        while True:
            query = {"marker": marker} if marker else {}
            answer = self.client.get(
                self.url + path, params=query, credential=self.login, accept=(200, 403, 404) if absent else (200, 403)
            )
            if answer.status != 200:
                return None
            body = answer.json()
            rows = body.get(key) if isinstance(body, dict) else None
            if not isinstance(rows, list) or not all(
                isinstance(r, dict) and isinstance(r.get("id"), str) for r in rows
            ):
                raise RemoteDataError(f"{self.url}{path} answered without a list of {key}: {body!r:.200}")
            found.extend(rows)
            marker = _next_marker(body)
            if marker is None or marker in seen:
                return found
            seen.add(marker)

    def user(self, user_id: str) -> Optional[Dict[str, Any]]:
        """Return one user; an empty mapping if there is none any more, None if this token may not ask."""
        answer = self.client.get(
            f"{self.url}/users/{quote(user_id, safe='')}", credential=self.login, accept=(200, 403, 404)
        )
        if answer.status == 200:
            return _object(answer, "user")
        return {} if answer.status == 404 else None


def _object(answer: Answer, key: str) -> Dict[str, Any]:
    body = answer.json()
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise RemoteDataError(f"{answer.url} answered no {key}: {body!r:.200}")
    return found


def _next_marker(body: Mapping[str, Any]) -> Optional[str]:
    links = body.get("links")
    following = links.get("next") if isinstance(links, dict) else None
    return parse_qs(urlsplit(following).query).get("marker", [None])[0] if isinstance(following, str) else None


def select(projects: Iterable[Mapping[str, Any]], selection: Selection) -> Tuple[List[Project], List[Problem]]:
    """Return the projects that serve a VO, and what a person should look at. No VO is ever guessed.

    The VO comes from ``vos``, else from the first property that is set, else from voms.json. With a tag, the projects
    that neither file names are taken only if they have it.
    """
    chosen: List[Project] = []
    problems: List[Problem] = []
    named: Dict[str, List[str]] = {}
    for project in projects:
        id_, name = project["id"], str(project.get("name", ""))
        by_hand = selection.configured.get(id_) or selection.configured.get(name)
        by_file = selection.voms_json.get(id_) or selection.voms_json.get(name)
        tags = project.get("tags")
        tagged = selection.tag is not None and isinstance(tags, list) and selection.tag in tags
        for key in {id_, name} & (selection.configured.keys() | selection.voms_json.keys()):
            named.setdefault(key, []).append(id_)
        if not (by_hand or by_file or tagged or selection.tag is None):
            continue
        own = next((project[key] for key in selection.properties if project.get(key)), None)
        try:
            by_property = vo_of(own) if isinstance(own, str) else None
        except ValueError as error:
            problems.append(Problem(f"project {name}", str(error)))
            continue
        vo = by_hand or by_property or by_file
        if vo is None:
            if tagged:
                problems.append(Problem(f"project {name}", f"it has the tag {selection.tag} but no VO; not accounted"))
            continue
        if by_property and by_property != vo:
            problems.append(
                Problem(f"project {name}", f"its property says VO {by_property}, the configuration {vo}, which counts")
            )
        described = project.get("description")
        description = described if isinstance(described, str) and described else None
        chosen.append(Project(id_, name, vo, project.get("enabled") is not False, description))
    return _unambiguous(chosen, problems, selection, named), problems


def _unambiguous(
    chosen: List[Project], problems: List[Problem], selection: Selection, named: Mapping[str, List[str]]
) -> List[Project]:
    for key in sorted(selection.configured.keys() | selection.voms_json.keys()):
        matching = named.get(key, [])
        if not matching:
            problems.append(Problem(f"project {key}", "keystone does not show it to us; its use is not accounted"))
        elif len(matching) > 1:
            problems.append(
                Problem(f"project {key}", f"{len(matching)} projects have this name; none is accounted: give the id")
            )
            chosen = [project for project in chosen if project.id not in matching or project.id == key]
    return chosen


def names_of(user: Mapping[str, Any], order: Sequence[str], attribute: Optional[str]) -> Optional[str]:
    """Return who a keystone user is for the federation, the first source of ``order`` that knows."""

    def text(value: object) -> Optional[str]:
        return value.strip() if isinstance(value, str) and value.strip().isprintable() else None

    return first_known(
        order,
        {
            "dn": lambda: slash_dn(user.get("name")),
            "unique_id": lambda: next(_unique_ids(user), None),
            "attribute": lambda: text(user.get(attribute)) if attribute else None,
            "name": lambda: text(user.get("name")),
        },
    )


def _unique_ids(user: Mapping[str, Any]) -> Iterator[str]:
    """Yield the identifiers that identity providers gave; keystone keeps them quoted as in a URL."""
    for provider in _objects(user.get("federated")):
        for protocol in _objects(provider.get("protocols")):
            unique = protocol.get("unique_id")
            if isinstance(unique, str) and unique:
                yield unquote(unique)


def _objects(value: object) -> List[Dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


@dataclass
class People:
    """The users that were asked for in this run, by id. ``problems`` are told once."""

    keystone: Keystone
    order: Sequence[str]
    attribute: Optional[str]
    known: Dict[str, Optional[str]] = field(default_factory=dict)
    problems: List[Problem] = field(default_factory=list)
    _listed: Optional[Dict[str, Dict[str, Any]]] = None
    _forbidden: bool = False
    _provider_domains: Optional[Set[str]] = None

    def learn(self, ids: Iterable[str]) -> Mapping[str, Optional[str]]:
        """Return what is known of users, after asking for those that are new. A user whom nobody knows is None."""
        for id_ in ids:
            if id_ not in self.known:
                self.known[id_] = self._ask(id_)
        return self.known

    def _ask(self, id_: str) -> Optional[str]:
        if self._listed is None:
            wanted = {"name", "domain_id", "federated", self.attribute}
            self._listed = {
                row["id"]: {key: row[key] for key in row.keys() & wanted}
                for row in self.keystone.listed("/users", "users") or ()
            }
        user = self._listed.get(id_)
        if user is None or self._may_be_federated(user):
            user = self._one(id_) or user
        return names_of(user, self.order, self.attribute) if user else None

    def _one(self, id_: str) -> Optional[Dict[str, Any]]:
        if self._forbidden:
            return None
        user = self.keystone.user(id_)
        if user is None:
            self._forbidden = True
            self.problems.append(
                Problem("keystone users", "this account may not read them, so records carry no GlobalUserName")
            )
        return user

    def _may_be_federated(self, user: Mapping[str, Any]) -> bool:
        """Tell whether asking for this one user can tell more: a list leaves out what identity providers said."""
        if "federated" in user or "unique_id" not in self.order:
            return False
        before = self.order[: self.order.index("unique_id")]
        if names_of(user, before, self.attribute):
            return False
        if self._provider_domains is None:
            providers = self.keystone.listed("/OS-FEDERATION/identity_providers", "identity_providers", absent=True)
            # who may not see the providers has to ask for each user
            self._provider_domains = {"*"} if providers is None else {str(p.get("domain_id")) for p in providers}
        return "*" in self._provider_domains or str(user.get("domain_id")) in self._provider_domains
