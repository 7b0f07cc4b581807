"""A plan is done: step by step, each written down before and after, so that a crash anywhere only has to be repeated.

The cloud may have changed since it was listed: right before each write the account's mark is read again.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Tuple

from fedcloud_agent.clouds.accounts import Account
from fedcloud_agent.clouds.contract import UsersFacet
from fedcloud_agent.errors import AgentError, TryAgainError, UnreachableError
from fedcloud_agent.users import ownership, steps
from fedcloud_agent.users.guard import Place
from fedcloud_agent.users.ownership import Ownership
from fedcloud_agent.users.steps import Plan, Step


class Books(ABC):
    """Where rows and the journal are kept. Each call is on disk when it returns."""

    @abstractmethod
    def rows(self, cloud: str) -> List[Ownership]:
        """Return what we own, or owned, in a cloud."""

    @abstractmethod
    def bases(self, cloud: str) -> Dict[Place, int]:
        """Return what the guard remembers of a cloud."""

    @abstractmethod
    def remember(self, cloud: str, bases: Mapping[Place, int]) -> None:
        """Replace what the guard remembers of a cloud."""

    @abstractmethod
    def begin(self, step: Step, row: Optional[Ownership]) -> int:
        """Note that a step begins, and the row that stands while it is being done; return the number of the entry."""

    @abstractmethod
    def end(self, entry: int, row: Optional[Ownership], error: Optional[str]) -> None:
        """Note how a step ended, with the row that stands from now on (None: as it stood)."""

    @abstractmethod
    def note(self, row: Ownership) -> None:
        """Replace a row of which the cloud need not hear."""


@dataclass
class Applied:
    """What was done: how many steps of each action, and those that failed, with their errors."""

    done: Dict[str, int] = field(default_factory=dict)
    failed: List[Tuple[Step, AgentError]] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """How many accounts were changed."""
        return sum(count for action, count in self.done.items() if action != steps.NOTE)


def apply(plan: Plan, cloud: UsersFacet, books: Books, confirmed: Optional[str] = None) -> Applied:
    """Do what is due. What one account is refused costs the others nothing.

    Raises UnreachableError when the cloud does not answer any more; what was done by then is written down.
    """
    applied = Applied()
    if plan.bases != books.bases(plan.cloud):
        books.remember(plan.cloud, plan.bases)
    for step in plan.due(confirmed):
        if step.action == steps.NOTE:
            assert step.after is not None
            books.note(step.after)
        else:
            try:
                _do(step, cloud, books)
            except UnreachableError:
                raise
            except AgentError as error:
                applied.failed.append((step, error))
                continue
        applied.done[step.action] = applied.done.get(step.action, 0) + 1
    return applied


def _do(step: Step, cloud: UsersFacet, books: Books) -> None:
    account = _as_listed(step, cloud)
    entry = books.begin(step, _meanwhile(step))
    try:
        row = _tell(step, account, cloud)
    except AgentError as error:
        # a creation or deletion that was refused may yet have been begun: its row says so until the next plan looks
        books.end(entry, None, str(error))
        raise
    books.end(entry, row, None)


def _as_listed(step: Step, cloud: UsersFacet) -> Optional[Account]:
    """Return the account as it is at this moment. Raises TryAgainError when it is not the one that was planned for."""
    if step.account is None:
        return None
    account = cloud.account(step.account.id)
    if account is None and step.action == steps.DELETE:
        return None
    if account is None or account.mark != step.account.mark or account.name != step.account.name:
        raise TryAgainError(
            f"account {step.name} was changed by others since it was listed", hint="the next run looks anew"
        )
    if account.protected is not None:
        raise TryAgainError(f"account {step.name} may not be touched any more: {account.protected}")
    return account


def _meanwhile(step: Step) -> Optional[Ownership]:
    """Return the row that tells of a crash in the midst of a step; most steps may simply be planned again."""
    if step.action == steps.CREATE:
        return step.after
    if step.action == steps.DELETE and step.before is not None:
        return dataclasses.replace(step.before, state=ownership.DELETING)
    return None


def _tell(step: Step, account: Optional[Account], cloud: UsersFacet) -> Ownership:
    """Tell the cloud, and return the row that stands from then on."""
    assert step.after is not None
    if step.action == steps.DELETE:
        if account is not None:
            cloud.delete(account)
        former = step.after.former if step.after.account is None else (*step.after.former, step.after.account)
        return dataclasses.replace(step.after, state=ownership.DELETED, account=None, former=former)
    assert step.wanted is not None
    if step.action == steps.CREATE:
        made = cloud.create(step.wanted)
        return dataclasses.replace(step.after, state=ownership.OWNED, account=made.id)
    assert account is not None
    if step.active:
        cloud.update(account, step.wanted)
    else:
        cloud.suspend(account, step.wanted)
    return dataclasses.replace(step.after, state=ownership.OWNED)
