"""What a plan consists of: a step with its reason for every account, also for those that stay as they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from fedcloud_agent.clouds.accounts import Account, Wanted
from fedcloud_agent.users.ownership import Ownership

SUSPEND = "suspend"
UPDATE = "update"
CREATE = "create"
REACTIVATE = "reactivate"
DELETE = "delete"
NOTE = "note"
KEEP = "keep"
HOLD = "hold"
SKIP = "skip"

CHANGES = (SUSPEND, UPDATE, CREATE, REACTIVATE, DELETE)
"""Actions that tell the cloud anything; NOTE changes a row of ours alone."""

_RANKS: Dict[str, int] = {
    SUSPEND: 0,
    CREATE: 2,
    UPDATE: 3,
    REACTIVATE: 4,
    DELETE: 5,
    NOTE: 6,
    KEEP: 7,
    HOLD: 8,
    SKIP: 9,
}
_AFTER_SUSPENDING = 1


@dataclass(frozen=True)
class Step:
    """What is done about one account, and why.

    ``reason`` is one word for programs; ``words`` say it to people, naming accounts and ids but never a DN or a mail.
    """

    action: str
    vo: str
    person: Optional[str]
    name: str
    reason: str
    words: str
    account: Optional[Account] = None
    """The account as it was listed."""
    wanted: Optional[Wanted] = None
    before: Optional[Ownership] = None
    after: Optional[Ownership] = None
    """The row once the step is done; an id that only the cloud can tell is filled in then."""
    fields: Tuple[str, ...] = ()
    """What of the content changes."""
    active: bool = True
    """Whether the account can be logged in to afterwards."""
    removal: bool = False
    """Whether somebody loses an account by not being listed: what the guard is about."""
    drops_subjects: bool = False
    guarded: bool = False
    """Whether the guard holds it."""

    @property
    def changes(self) -> bool:
        """Whether the cloud is told anything."""
        return self.action in CHANGES

    @property
    def rank(self) -> int:
        """When it is its turn: who loses comes before who gains."""
        return _AFTER_SUSPENDING if self.action == UPDATE and self.drops_subjects else _RANKS[self.action]


class Guard(NamedTuple):
    """A VO of a facility of which so many accounts would be lost by absence that a person has to look."""

    facility: str
    vo: str
    losers: int
    owned: int
    """The active accounts that we own there."""
    listed: int
    """How many members the list has for it."""


class Notice(NamedTuple):
    """Something that a person should hear of. ``words`` hold nothing personal."""

    event: str
    person: Optional[str]
    words: str


@dataclass(frozen=True)
class Plan:
    """All that is to be done in one cloud, in the order of doing; ``id`` is the same for the same plan."""

    cloud: str
    as_of: int
    steps: Tuple[Step, ...]
    guards: Tuple[Guard, ...] = ()
    notices: Tuple[Notice, ...] = ()
    bases: Mapping[Tuple[str, str], int] = field(default_factory=dict)
    """By facility and VO, what the guard has to remember until the next plan."""

    @cached_property
    def id(self) -> str:
        """What a person confirms: a digest of every change, guarded or not, and of what the accounts are now."""
        told = [
            [step.action, step.name, step.reason, step.account, step.wanted]
            for step in self.steps
            if step.changes or step.guarded
        ]
        text = json.dumps([self.cloud, told, self.guards], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]

    def due(self, confirmed: Optional[str] = None) -> Tuple[Step, ...]:
        """Return the steps that change anything: without those that the guard holds, unless this plan is confirmed."""
        free = confirmed is not None and confirmed == self.id
        return tuple(s for s in self.steps if (s.changes or s.action == NOTE) and (free or not s.guarded))

    @property
    def held(self) -> bool:
        """Whether the guard holds anything."""
        return any(step.guarded for step in self.steps)

    def count(self, action: str) -> int:
        """Return how many steps of an action there are, those that the guard holds left out."""
        return sum(step.action == action and not step.guarded for step in self.steps)
