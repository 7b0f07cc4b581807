"""What we know of the accounts that we made: one row for each person and VO in a cloud.

An account is ours when its row and its mark agree; where only one of the two is there, nobody touches it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from fedcloud_agent.clouds.accounts import Mark

CREATING = "creating"
OWNED = "owned"
DELETING = "deleting"
DELETED = "deleted"


@dataclass(frozen=True)
class Ownership:
    """An account of ours. It is written before the cloud is told to create or delete, so that a crash shows.

    ``account`` is the cloud's id; None while it is being created and once it is deleted.
    """

    cloud: str
    name: str
    vo: str
    person: str
    """Who it is for Perun now; ``mark`` holds who it was when the account was made."""
    uid: Optional[str]
    facility: str
    """Which facility last listed this person."""
    mark: Mark
    state: str = CREATING
    account: Optional[str] = None
    keys: Optional[str] = None
    """Digest of the SSH keys that we wrote; while they are still there, they follow Perun."""
    missing_since: Optional[int] = None
    """When a list without this person first came."""
    overdue_since: Optional[int] = None
    """When a list without this person first came after the grace."""
    former: Tuple[str, ...] = ()
    """Ids of the accounts that had this name before."""

    @property
    def alive(self) -> bool:
        """Whether there is, or may be, an account."""
        return self.state != DELETED


def digest_of(keys: Sequence[str]) -> str:
    """Return what :attr:`Ownership.keys` holds for these keys."""
    return hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def same_person(id: str, uid: Optional[str], other: str, other_uid: Optional[str]) -> bool:
    """Tell whether two ids mean one person. Formats name people in different ways, but for their UID."""
    if id == other:
        return True
    return id.partition(":")[0] != other.partition(":")[0] and uid is not None and uid == other_uid
