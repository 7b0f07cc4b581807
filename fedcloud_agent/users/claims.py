"""Which account of ours is whose, when people and their ids change at Perun. Pure."""

from __future__ import annotations

from typing import AbstractSet, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from fedcloud_agent.clouds.accounts import Account, Mark
from fedcloud_agent.users.identities import keys_of
from fedcloud_agent.users.ownership import CREATING, Ownership, same_person
from fedcloud_agent.users.population import ACTIVE
from fedcloud_agent.users.wishes import Wish


class Claims:
    """The rows of a cloud, found by person and VO. ``listed``: the VO and id of everybody who is listed."""

    def __init__(self, rows: Iterable[Ownership], listed: AbstractSet[Tuple[str, str]]) -> None:
        self._listed = listed
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
        # a UID says who it is only where whose the row was is not listed beside
        candidates = (r for r in self._by_uid.get((wish.vo, person.uid), ()) if (r.vo, r.person) not in self._listed)
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


def strays(accounts: Iterable[Account], rows: Sequence[Ownership]) -> Iterator[Tuple[Account, Mark, str, str]]:
    """Yield the accounts that bear a mark although no row knows them, with the event and what to say of it.

    They were copied with their mark, or are of a database that was lost.
    """
    known = {row.account for row in rows if row.alive and row.account is not None}
    begun = {row.name for row in rows if row.state == CREATING}
    marks = {row.mark for row in rows if row.alive}
    for account in accounts:
        if account.mark is None or account.id in known or account.name in begun:
            continue
        event = "mark-cloned" if account.mark in marks else "mark-without-row"
        words = f"account {account.name} bears a mark of ours, but we do not know it: left alone"
        yield account, account.mark, event, words
