"""A small world to plan in: people, a cloud that can be told to fail at any call, and books in memory."""

from __future__ import annotations

import itertools
from typing import Dict, List, Mapping, Optional, Tuple

from fedcloud_agent.clouds.accounts import Account, Accounts, Content, Mark, Wanted
from fedcloud_agent.clouds.contract import UsersFacet
from fedcloud_agent.errors import AgentError, RefusedError
from fedcloud_agent.users.applying import Applied, Books, apply
from fedcloud_agent.users.ownership import Ownership
from fedcloud_agent.users.planning import make_plan
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import Person, Population, membership
from fedcloud_agent.users.steps import Plan, Step

SITE = "SITE"
DAY = 86400


def dn(who: object) -> str:
    return f"/DC=org/DC=example/CN={who}"


def person(number: int, *vos: str, **changes: object) -> Person:
    """Return a valid member of VOs."""
    values = {
        "id": f"uuid:{number}",
        "facility": SITE,
        "uid": str(1000 + number),
        "memberships": tuple(membership(vo) for vo in vos or ("vo.a",)),
        "subjects": (dn(number),),
        "name": f"Person {number}",
        "mail": f"person{number}@example.org",
        "keys": (f"ssh-ed25519 KEY{number}",),
        **changes,
    }
    return Person(**values)  # type: ignore[arg-type]


def state(number: int, vo: str = "vo.a", status: object = "VALID", **words: object) -> Person:
    return person(number, memberships=(membership(vo, status, **words),))  # type: ignore[arg-type]


class Killed(BaseException):
    """The process ended here."""


class Cloud(UsersFacet):
    """A cloud in memory. ``steps_left``: after so many parts of writes, it is as if we were killed."""

    def __init__(self, *vos: str) -> None:
        self.by_id: Dict[str, Account] = {}
        self.groups = {vo: f"g-{vo}" for vo in vos or ("vo.a", "vo.b")}
        self.names = {group: vo for vo, group in self.groups.items()}
        self.ids = itertools.count(1)
        self.calls: List[Tuple[str, str]] = []
        self.steps_left: Optional[int] = None
        self.errors: Dict[str, AgentError] = {}

    def _step(self) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                raise Killed
            self.steps_left -= 1

    def _called(self, what: str, name: str) -> None:
        self.calls.append((what, name))
        self._step()
        if name in self.errors:
            raise self.errors[name]

    def accounts(self) -> Accounts:
        return Accounts(tuple(self.by_id.values()), dict(self.groups), dict(self.names))

    def account(self, id: str) -> Optional[Account]:
        return self.by_id.get(id)

    def create(self, wanted: Wanted) -> Account:
        self._called("create", wanted.name)
        if any(account.name == wanted.name for account in self.by_id.values()):
            raise RefusedError(f"{wanted.name} is taken")
        bare = Account(str(next(self.ids)), wanted.name, True, Content("1", wanted.content.subjects, None), None)
        self.by_id[bare.id] = bare  # as oned: the mark comes with a second call
        self._step()
        self.by_id[bare.id] = bare._replace(content=wanted.content, mark=wanted.mark)
        self._step()
        return self.by_id[bare.id]

    def update(self, account: Account, wanted: Wanted) -> None:
        self._called("update", wanted.name)
        self.by_id[account.id] = account._replace(active=True, content=wanted.content, mark=wanted.mark)
        self._step()

    def suspend(self, account: Account, wanted: Wanted) -> None:
        self._called("suspend", wanted.name)
        self.by_id[account.id] = account._replace(active=False)
        self._step()
        self.by_id[account.id] = account._replace(active=False, content=wanted.content, mark=wanted.mark)
        self._step()

    def delete(self, account: Account) -> None:
        self._called("delete", account.name)
        self.by_id.pop(account.id, None)
        self._step()

    def add(self, name: str, mark: Optional[Mark] = None, protected: Optional[str] = None) -> Account:
        """Add an account that is not ours."""
        content = Content("g-vo.a", (dn("foreign"),), None)
        account = Account(str(next(self.ids)), name, True, content, mark, protected)
        self.by_id[account.id] = account
        return account

    def named(self, name: str) -> Account:
        (found,) = (account for account in self.by_id.values() if account.name == name)
        return found

    def change(self, called: str, **changes: object) -> None:
        account = self.named(called)
        content = {key: changes.pop(key) for key in list(changes) if key in Content._fields}
        account = account._replace(content=account.content._replace(**content), **changes)  # type: ignore[arg-type]
        self.by_id[account.id] = account


class Memory(Books):
    """Books in memory."""

    def __init__(self) -> None:
        self.kept: Dict[Tuple[str, str], Ownership] = {}
        self.guards: Dict[str, Dict[Tuple[str, str], int]] = {}
        self.journal: List[Tuple[Step, Optional[str], bool]] = []

    def rows(self, cloud: str) -> List[Ownership]:
        return [row for (of, _), row in self.kept.items() if of == cloud]

    def bases(self, cloud: str) -> Dict[Tuple[str, str], int]:
        return self.guards.get(cloud, {})

    def remember(self, cloud: str, bases: Mapping[Tuple[str, str], int]) -> None:
        self.guards[cloud] = dict(bases)

    def begin(self, step: Step, row: Optional[Ownership]) -> int:
        if row is not None:
            self.note(row)
        self.journal.append((step, None, False))
        return len(self.journal) - 1

    def end(self, entry: int, row: Optional[Ownership], error: Optional[str]) -> None:
        if row is not None:
            self.note(row)
        self.journal[entry] = (self.journal[entry][0], error, True)

    def note(self, row: Ownership) -> None:
        self.kept[row.cloud, row.name] = row


class World:
    """A cloud, its books, and the rules of its site."""

    def __init__(self, *vos: str, rules: Optional[Policy] = None) -> None:
        self.cloud, self.books, self.rules = Cloud(*vos), Memory(), rules or Policy()
        self.now = 1_700_000_000

    def plan(self, *persons: Person, facility: str = SITE) -> Plan:
        return self.plan_of(Population(facility, self.now, persons))

    def plan_of(self, *populations: Population) -> Plan:
        return make_plan(
            "main", self.cloud.accounts(), self.books.rows("main"), populations, self.rules, self.books.bases("main")
        )

    def sync(self, *persons: Person, confirm: bool = False, facility: str = SITE) -> Tuple[Plan, Applied]:
        plan = self.plan(*persons, facility=facility)
        return plan, apply(plan, self.cloud, self.books, plan.id if confirm else None)

    def active(self) -> List[str]:
        return sorted(account.name for account in self.cloud.by_id.values() if account.active)

    def suspended(self) -> List[str]:
        return sorted(account.name for account in self.cloud.by_id.values() if not account.active)

    def row(self, name: str) -> Ownership:
        return self.books.kept["main", name]


def actions(plan: Plan) -> Dict[str, str]:
    """Return the action by the name of the account."""
    return {step.name: ("guarded " if step.guarded else "") + step.action for step in plan.steps}


def events(plan: Plan) -> List[str]:
    return sorted({notice.event for notice in plan.notices})


def step_of(plan: Plan, name: str) -> Step:
    (found,) = (step for step in plan.steps if step.name == name)
    return found
