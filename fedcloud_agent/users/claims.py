"""Which account of ours is whose, when people and their ids change at Perun. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fedcloud_agent.clouds.accounts import Account
from fedcloud_agent.users.identities import keys_of
from fedcloud_agent.users.ownership import Ownership, same_person
from fedcloud_agent.users.population import ACTIVE
from fedcloud_agent.users.wishes import Wish


class Claims:
    """The rows of a cloud, found by person and VO."""

    def __init__(self, rows: Iterable[Ownership]) -> None:
        self._by_person: Dict[Tuple[str, str], Ownership] = {}
        self._by_uid: Dict[Tuple[str, str], List[Ownership]] = {}
        for row in sorted(rows, key=lambda row: row.alive):  # the living one wins
            self._by_person[row.vo, row.person] = row
            if row.uid is not None:
                self._by_uid.setdefault((row.vo, row.uid), []).append(row)

    def row_of(self, wish: Wish) -> Optional[Ownership]:
        """Return the row of a person in a VO, or None for a newcomer."""
        person = wish.person
        row = self._by_person.get((wish.vo, person.id))
        if row is not None or person.uid is None:
            return row
        candidates = self._by_uid.get((wish.vo, person.uid), ())
        return next((r for r in candidates if same_person(person.id, person.uid, r.person, r.uid)), None)


def merges(newcomers: Sequence[Wish], lost: Sequence[Ownership], accounts: Mapping[str, Account]) -> Dict[str, str]:
    """Return for each newcomer, and each person that is lost, who else it probably is.

    Two people of Perun that were merged show as one who is gone and one who is new, and has what the other had: giving
    it an account of its own would cost the other account its machines. ``accounts`` are those of the cloud, by id.
    """
    by_uid: Dict[Tuple[str, Optional[str]], str] = {(r.vo, r.uid): r.person for r in lost if r.uid is not None}
    by_key = {
        (row.vo, key): row.person
        for row in lost
        if row.account is not None and row.account in accounts
        for key in keys_of(accounts[row.account].content.subjects)
    }
    found: Dict[str, str] = {}
    for wish in newcomers:
        if wish.state != ACTIVE:
            continue
        other = by_uid.get((wish.vo, wish.person.uid)) or next(
            (by_key[wish.vo, key] for key in wish.keys if (wish.vo, key) in by_key), None
        )
        if other is not None:
            found[wish.person.id], found[other] = other, wish.person.id
    return found
