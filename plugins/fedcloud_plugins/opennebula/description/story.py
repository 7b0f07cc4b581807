"""How a whole offer is read: who we are, what we see, then each list once, and the machines by ranges of ids.

These are at most nine calls, and one more for each few thousand ids of machines. oned silently leaves out of a list
what an account may not see: so the rights are looked at first, and what is not seen whole is a problem, never a smaller
offer without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from fedcloud_agent.clock import now
from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import CloudOffer, InstanceType, Machines, Manager, Share
from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError
from fedcloud_plugins.opennebula.connection import Connection
from fedcloud_plugins.opennebula.description.door import OCCI, door_of
from fedcloud_plugins.opennebula.description.groups import Group, Quotas, shares_of, told_of
from fedcloud_plugins.opennebula.description.hosts import host_of, managers_of
from fedcloud_plugins.opennebula.description.images import View, images_of
from fedcloud_plugins.opennebula.description.living import counted
from fedcloud_plugins.opennebula.description.pools import Pools
from fedcloud_plugins.opennebula.description.settings import OfferSettings
from fedcloud_plugins.opennebula.description.sizes import (
    of_document,
    of_documents,
    of_files,
    of_table,
    of_templates,
)
from fedcloud_plugins.opennebula.description.templates import Images, Template, image_of, template_of
from fedcloud_plugins.opennebula.dialect import Dialect
from fedcloud_plugins.opennebula.machines import LIVE
from fedcloud_plugins.opennebula.machines import Machines as MachineCalls
from fedcloud_plugins.opennebula.rights import (
    DOCUMENTS,
    GROUPS,
    HOSTS,
    IMAGES,
    MACHINES,
    TEMPLATES,
    Rule,
    is_here,
    is_of_use,
    rule_to_add,
    sees_all,
)
from fedcloud_plugins.opennebula.windows import Windows
from fedcloud_plugins.opennebula.xmlrpc import LoginRefusedError

T = TypeVar("T")

_RESOURCE_TEMPLATES = 999
"""The type that rOCCI 2 gives to its documents."""
_DOCUMENTS_SINCE = (3, 6, 0)
_ZERO_LIMITS = (4, 6, 0)
"""From this release on a quota of 0 is none, and before it is no limit."""
_UNSEEN: Mapping[int, Tuple[str, str]] = {
    MACHINES: ("machines", "they are not counted"),
    HOSTS: ("hosts", "what the cloud has in all is not told"),
    GROUPS: ("groups", "VOs whose groups it does not see are missing"),
    TEMPLATES: ("templates", "images and sizes that it does not see are missing"),
    IMAGES: ("images", "what it does not see of them is missing from the templates that hold them"),
    DOCUMENTS: ("documents", "the resource templates are not read"),
}


class Story:
    """One look at what a cloud offers. ``product`` names it; ``tells_release``: whether its release was asked for."""

    def __init__(self, connection: Connection, product: str, *, tells_release: bool) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._offer = connection.settings.offer or OfferSettings()
        self._product = product
        self._tells_release = tells_release
        self._pools = Pools(connection.wire)
        self._problems: List[Problem] = []
        self._unseen: Dict[int, bool] = {}
        self._rules: Optional[Sequence[Rule]] = None

    def offer(self) -> CloudOffer:
        """Return all that is offered. Raises what the first list that cannot be read raises.

        RefusedError: nobody can tell whether this account sees everything, or it sees no group of a VO.
        ConfigurationError: no group serves a VO.
        """
        as_of = now()
        dialect = self._connection.dialect()
        told = dialect.name if self._tells_release else None
        self._look_at_rights()
        endpoint, odd = door_of(self._settings.endpoint, self._product, dialect.name, told, self._offer.public)
        self._problems.extend(odd)
        groups: List[Union[Group, Quotas]] = self._pools.whole("GROUP", "group", told_of)
        whole, by_group = self._machines(dialect)
        zero = dialect.version < _ZERO_LIMITS
        shares, odd = shares_of(groups, self._settings, by_group, zero_is_unlimited=zero)
        self._problems.extend(odd)
        if not shares:
            raise self._nobody_served()
        managers = self._managers(told)
        templates = self._seen(TEMPLATES, lambda: self._pools.ranged("VMTEMPLATE", "template", template_of))
        images = self._images(templates)
        view = self._view(shares)
        offered, odd = images_of(templates, images, view)
        self._problems.extend(odd)
        return CloudOffer(
            as_of=as_of,
            endpoints=(endpoint,),
            shares=shares,
            managers=managers,
            instance_types=self._sizes(templates, view),
            images=offered,
            machines=whole,
            problems=tuple(dict.fromkeys([*self._problems, *self._pools.problems])),
        )

    def _look_at_rights(self) -> None:
        account = self._connection.account()
        rules = self._connection.rules()
        if rules is not None:
            rules = [rule for rule in rules if is_of_use(rule, sum(_UNSEEN))]
            zone = None if all(is_here(rule, None) for rule in rules) else self._connection.zone()
            self._rules = [rule for rule in rules if is_here(rule, zone)]
            if not account.is_administrator:
                self._unseen = {kind: not sees_all(account, rules, zone, kind) for kind in _UNSEEN}
        elif not account.is_administrator:
            self._connection.check_rights()
        for kind, unseen in self._unseen.items():
            if unseen and kind != DOCUMENTS:
                self._tell_unseen(kind)

    def _tell_unseen(self, kind: int) -> None:
        what, then = _UNSEEN[kind]
        remedy = rule_to_add(self._connection.account(), "+DOCUMENT" if kind == DOCUMENTS else "")
        self._problems.append(Problem(what, f"this account does not see all of them, so {then}: {remedy}"))

    def _seen(self, kind: int, read: Callable[[], List[T]]) -> List[T]:
        """Return what a list tells; where oned refuses it in words, that is a problem like any that is not seen."""
        try:
            return read()
        except LoginRefusedError:
            raise
        except RefusedError:
            if not self._unseen.get(kind):
                self._unseen[kind] = True
                self._tell_unseen(kind)
            return []

    def _nobody_served(self) -> AgentError:
        account = self._connection.account()
        said = f"clouds.{self._connection.name}: no group that serves a VO is visible to account {account.name}"
        if self._unseen.get(GROUPS):
            return RefusedError(said, hint=rule_to_add(account))
        missing = "".join(f"; {problem.subject}: {problem.reason}" for problem in self._problems[:5])
        return ConfigurationError(f"{said}{missing}", hint="name the groups under 'vos'")

    def _machines(self, dialect: Dialect) -> Tuple[Optional[Machines], Optional[Mapping[int, Machines]]]:
        if self._unseen.get(MACHINES):
            return None, None
        # how many there are is told in brief too, at a third of the size, whatever their attributes hold
        brief = replace(dialect, pool=dialect.brief, form=dialect.brief_form)
        calls = MachineCalls(self._connection.wire, brief)
        windows = Windows(calls, self._settings.window)
        found = counted(row for rows in windows.upward(0, None, LIVE) for row in rows)
        self._problems.extend(windows.problems)
        lost = len(calls.nonsense) + len(calls.odd) - len(windows.problems)
        if lost > 0:
            self._problems.append(Problem("machines", f"{lost} make no sense and are not counted"))
        return found

    def _managers(self, version: Optional[str]) -> Tuple[Manager, ...]:
        if self._unseen.get(HOSTS):
            return ()
        hosts = self._seen(HOSTS, lambda: self._pools.whole("HOST", "host", host_of))
        if not hosts and not self._unseen.get(HOSTS):
            self._problems.append(Problem("hosts", "oned shows none, so what the cloud has in all is not told"))
        return managers_of(hosts, self._product, version)

    def _view(self, shares: Sequence[Share]) -> View:
        return View(
            groups=frozenset(int(share.project) for share in shares),
            rules=self._rules,
            keys=self._settings.image_keys,
            ids=self._offer.image_ids,
            sees_images=not self._unseen.get(IMAGES),
        )

    def _images(self, templates: Sequence[Template]) -> Images:
        if not any(template.disk for template in templates):
            return Images(())
        return Images(self._seen(IMAGES, lambda: self._pools.ranged("IMAGE", "image", image_of)))

    def _sizes(self, templates: Sequence[Template], view: View) -> Tuple[InstanceType, ...]:
        offer = self._offer
        found: Tuple[InstanceType, ...] = ()
        if offer.instance_types:
            return of_table(offer.instance_types, offer.instance_type_ids)
        if offer.instance_type_files is not None:
            found, odd = of_files(offer.instance_type_files)
            self._problems.extend(odd)
        elif offer.public is not None and offer.public.interface == OCCI:
            found = self._documents()
        found = found or of_templates(templates, view.groups, view.rules or ())
        if not found:
            self._problems.append(
                Problem("instance types", "none are known, and a cloud without is not published: offer.instance_types")
            )
        return found

    def _documents(self) -> Tuple[InstanceType, ...]:
        if self._connection.dialect().version < _DOCUMENTS_SINCE:
            return ()
        if self._unseen.get(DOCUMENTS):
            self._tell_unseen(DOCUMENTS)
            return ()
        sizes = self._seen(
            DOCUMENTS, lambda: self._pools.ranged("DOCUMENT", "document", of_document, _RESOURCE_TEMPLATES)
        )
        return of_documents(sizes, self._offer.instance_type_ids)
