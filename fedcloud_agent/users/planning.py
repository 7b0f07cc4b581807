"""What there is and what there should be, compared: the plan. Pure.

Each account of ours gets exactly one step, each wish without an account too; accounts of others get none, unless they
bear a mark of ours.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fedcloud_agent.clouds.accounts import Account, Accounts, Content, Mark, Wanted
from fedcloud_agent.users import absence, ownership, policy, steps
from fedcloud_agent.users.claims import Claims, merges, strays
from fedcloud_agent.users.groups import followed
from fedcloud_agent.users.guard import Place, guarded
from fedcloud_agent.users.ownership import Ownership, digest_of
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import ACTIVE, EXPIRED, GROUP_EXPIRED, HELD, SKIPPED, Population
from fedcloud_agent.users.steps import Notice, Plan, Step
from fedcloud_agent.users.wishes import NO_GROUP, Wish, is_absent, wishes

_NAME = re.compile(r"""[^\s&|:\\";/'#{}$<>\x00-\x1f\x7f]{1,128}""")


def make_plan(
    cloud: str,
    accounts: Accounts,
    rows: Iterable[Ownership],
    populations: Sequence[Population],
    rules: Policy,
    bases: Optional[Mapping[Place, int]] = None,
) -> Plan:
    """Return what is to be done in a cloud, given what it holds, what we own there and whom its facilities list.

    ``bases``: what an earlier plan told to remember of the guard (:attr:`fedcloud_agent.users.steps.Plan.bases`).

    Only the facilities that ``populations`` speak of are judged; nothing follows from the silence of another one.
    """
    return _Planning(cloud, accounts, list(rows), populations, rules).plan(bases or {})


class _Planning:
    """The indexes that a comparison needs; built once, used once."""

    def __init__(
        self,
        cloud: str,
        accounts: Accounts,
        rows: List[Ownership],
        populations: Sequence[Population],
        rules: Policy,
    ) -> None:
        self.cloud, self.rules, self.populations = cloud, rules, populations
        self.by_id = {account.id: account for account in accounts.accounts}
        self.by_name = {account.name: account for account in accounts.accounts}
        self.rows = rows
        self.groups, told_of_groups = followed(accounts, rows)
        self.wishes, told = wishes(populations, self.groups)
        self.notices: List[Notice] = [*told_of_groups, *told]
        self.read = {population.facility: population.as_of for population in populations}
        self.reserved = {row.name for row in rows if row.alive}
        self.merges: Dict[str, str] = {}
        self.steps: List[Step] = []

    def plan(self, bases: Mapping[Place, int]) -> Plan:
        taken: Dict[int, Wish] = {}
        claims = Claims(self.rows, {(wish.vo, wish.person.id) for wish in self.wishes})
        new: List[Wish] = []
        for wish in self.wishes:
            row = claims.row_of(wish)
            if row is None:
                new.append(wish)
            else:
                taken[id(row)] = wish
        lost = [row for row in self.rows if row.alive and is_absent(taken.get(id(row)))]
        self.merges = merges(new, lost, self.by_id)
        for row in self.rows:
            known = taken.get(id(row))
            if row.alive or (known is not None and not is_absent(known)):
                self._of_row(row, known)
        for wish in new:
            self._of_newcomer(wish)
        for account, mark, event, words in strays(self.by_id.values(), self.rows):
            self.notices.append(Notice(event, mark.user, words))
            self.steps.append(Step(steps.HOLD, mark.vo, mark.user, account.name, event, words, account=account))
        ordered = sorted(self.steps, key=lambda step: (step.rank, step.vo, step.name))
        held, guards = guarded(ordered, self.populations, bases)
        remembered = {place: base for place, base in bases.items() if place[0] not in self.read}
        remembered.update({(guard.facility, guard.vo): guard.owned for guard in guards})
        return Plan(self.cloud, max(self.read.values(), default=0), held, guards, tuple(self.notices), remembered)

    def _of_row(self, row: Ownership, wish: Optional[Wish]) -> None:
        if wish is None and row.facility not in self.read:
            self._stay(steps.KEEP, row, "facility-not-read", f"no list of the facility {row.facility} is known")
            return
        if row.vo not in self.groups:
            self._stay(steps.SKIP, row, NO_GROUP, f"the VO {row.vo} has no group here", wish)
            return
        account, fault = self._account_of(row, wish)
        if fault is not None:
            self.notices.append(Notice(fault[0], row.person, fault[1]))
            self._stay(steps.HOLD, row, *fault, wish, account)
            return
        if wish is not None and wish.state in (HELD, SKIPPED):
            self._hold(wish, row, account)
        elif is_absent(wish):
            self._of_missing(row, wish, account)
        elif account is None:
            assert wish is not None
            self._of_lost_account(row, wish)
        else:
            assert wish is not None
            self._of_account(row, wish, account)

    def _account_of(self, row: Ownership, wish: Optional[Wish]) -> Tuple[Optional[Account], Optional[Tuple[str, str]]]:
        """Return the account of a row, and what speaks against touching it, if anything does."""
        if row.account is None:
            return self._unfinished(row, wish)
        account = self.by_id.get(row.account)
        if account is None:
            return None, None
        if account.protected is not None:
            return account, ("account-protected", f"account {account.name} may not be touched: {account.protected}")
        if account.mark != row.mark:
            words = "bears no mark of ours any more" if account.mark is None else "bears the mark of another account"
            return account, ("mark-missing", f"account {account.name} {words}")
        return account, None

    def _unfinished(self, row: Ownership, wish: Optional[Wish]) -> Tuple[Optional[Account], Optional[Tuple[str, str]]]:
        """Return the account that a creation left which was cut off; the name was free when it began."""
        account = self.by_name.get(row.name)
        if row.state != ownership.CREATING or account is None or account.mark == row.mark:
            return (account if row.state == ownership.CREATING else None), None
        begun = wish is not None and account.content.subjects == wish.subjects and bool(wish.subjects)
        if account.mark is None and account.protected is None and begun:
            return account, None
        return account, ("name-taken-by-foreign-account", f"the name {row.name} belongs to an account that is not ours")

    def _of_account(self, row: Ownership, wish: Wish, account: Account) -> None:
        # of a creation that was cut off nothing is the user's own yet
        now = account.content if row.state != ownership.CREATING else None
        content = wish.content(self.groups[row.vo], now, row.keys, self.rules)
        content = content._replace(subjects=content.subjects or account.content.subjects)
        after = self._followed(row, wish, account, content)
        fields = _differences(account.content, content)
        if account.mark is None:
            fields = (*fields, "mark")
        active, words = wish.state == ACTIVE, wish.reason
        if wish.reason in (EXPIRED, GROUP_EXPIRED) and self.rules.on_expired == policy.KEEP:
            active, words = account.active, f"{wish.reason}; the site lets such accounts be"
        if active != account.active:
            action = steps.REACTIVATE if active else steps.SUSPEND
        elif fields:
            action = steps.UPDATE
        else:
            action = steps.KEEP if after == row else steps.NOTE
        if fields:
            words += f"; changes: {', '.join(fields)}"
        self.steps.append(
            Step(
                action,
                row.vo,
                wish.person.id,
                account.name,
                wish.reason,
                words,
                account=account,
                wanted=Wanted(account.name, row.vo, content, row.mark),
                before=row,
                after=after,
                fields=fields,
                active=active,
                drops_subjects=not set(account.content.subjects) <= set(content.subjects),
            )
        )

    def _of_missing(self, row: Ownership, wish: Optional[Wish], account: Optional[Account]) -> None:
        reason = wish.reason if wish is not None else "not-listed"
        if account is None:
            after = dataclasses.replace(row, state=ownership.DELETED, account=None, former=_former(row))
            words = "not listed any more; there is no account any more, either"
            self.steps.append(Step(steps.NOTE, row.vo, row.person, row.name, reason, words, before=row, after=after))
            return
        if row.person in self.merges:
            words = f"not listed any more, but {self.merges[row.person]} has its UID or a subject: merged persons?"
            self._stay(steps.HOLD, row, "persons-merged", words, wish, account)
            return
        as_of = self.read[wish.person.facility if wish is not None else row.facility]
        action, words, after = absence.verdict(row, account.active, as_of, self.rules)
        if row.account is None:
            after = dataclasses.replace(after, account=account.id, state=ownership.OWNED)
        self.steps.append(
            Step(
                action,
                row.vo,
                row.person,
                account.name,
                reason,
                words,
                account=account,
                wanted=Wanted(account.name, row.vo, account.content, row.mark),
                before=row,
                after=after,
                active=False,
                removal=action != steps.KEEP,
            )
        )

    def _of_lost_account(self, row: Ownership, wish: Wish) -> None:
        """Make an account anew that was deleted: by ourselves, when its person is back, or by hand."""
        if row.state == ownership.OWNED:
            words = f"account {row.name} was deleted by others"
            self.notices.append(Notice("account-deleted-by-others", row.person, words))
        if wish.state != ACTIVE:
            self._stay(steps.KEEP, row, wish.reason, f"{wish.reason}; there is no account", wish)
            return
        self._create(wish, row, "valid; the former account is gone" if row.state == ownership.OWNED else "valid again")

    def _of_newcomer(self, wish: Wish) -> None:
        if wish.state in (HELD, SKIPPED):
            self._hold(wish, None, None)
        elif wish.state != ACTIVE:
            self._newcomer(steps.KEEP, wish, wish.reason, f"{wish.reason}; there is no account, and none is made")
        elif wish.person.id in self.merges:
            words = (
                f"{self.merges[wish.person.id]} is not listed any more and had its UID or a subject: merged persons?"
            )
            self.notices.append(Notice("persons-merged", wish.person.id, words))
            self._newcomer(steps.HOLD, wish, "persons-merged", words)
        elif not _NAME.fullmatch(wish.name or ""):
            words = f"{wish.name!r} is no name that clouds take"
            self.notices.append(Notice("name-unfit", wish.person.id, words))
            self._newcomer(steps.HOLD, wish, "name-unfit", words)
        else:
            self._create(wish, None, "valid")

    def _create(self, wish: Wish, row: Optional[Ownership], words: str) -> None:
        name = row.name if row is not None else wish.name
        assert name is not None
        if name in self.by_name or (name in self.reserved and not (row is not None and row.alive)):
            told = f"the name {name} belongs to another account"
            self.notices.append(Notice("name-taken-by-foreign-account", wish.person.id, told))
            self._newcomer(steps.HOLD, wish, "name-taken-by-foreign-account", told, row)
            return
        mark = Mark(self.rules.perun, wish.person.id, wish.vo)
        content = wish.content(self.groups[wish.vo], None, None, self.rules)
        after = Ownership(
            cloud=self.cloud,
            name=name,
            vo=wish.vo,
            person=wish.person.id,
            uid=wish.person.uid,
            facility=wish.person.facility,
            mark=mark,
            keys=digest_of(content.keys),
            former=_former(row) if row is not None else (),
        )
        self.steps.append(
            Step(
                steps.CREATE,
                wish.vo,
                wish.person.id,
                name,
                wish.reason,
                words,
                wanted=Wanted(name, wish.vo, content, mark),
                before=row,
                after=after,
            )
        )

    def _hold(self, wish: Wish, row: Optional[Ownership], account: Optional[Account]) -> None:
        action = steps.HOLD if wish.state == HELD else steps.SKIP
        if wish.state == HELD:
            words = f"{wish.person.id} in {wish.vo} is held: {wish.reason}"
            self.notices.append(Notice(wish.reason, wish.person.id, words))
        if row is not None:
            self._stay(action, row, wish.reason, wish.reason, wish, account)
        else:
            self._newcomer(action, wish, wish.reason, wish.reason)

    def _stay(
        self,
        action: str,
        row: Ownership,
        reason: str,
        words: str,
        wish: Optional[Wish] = None,
        account: Optional[Account] = None,
    ) -> None:
        person = wish.person.id if wish is not None else row.person
        self.steps.append(Step(action, row.vo, person, row.name, reason, words, account=account, before=row))

    def _newcomer(self, action: str, wish: Wish, reason: str, words: str, row: Optional[Ownership] = None) -> None:
        self.steps.append(Step(action, wish.vo, wish.person.id, wish.name or "", reason, words, before=row))

    def _followed(self, row: Ownership, wish: Wish, account: Account, content: Content) -> Ownership:
        """Return the row of somebody who is listed: nothing is missing, and who it is for Perun is known anew."""
        person = wish.person
        after = dataclasses.replace(
            row,
            person=person.id,
            uid=person.uid or row.uid,
            facility=person.facility,
            state=ownership.OWNED,
            account=account.id,
            keys=digest_of(content.keys) if content.keys == person.keys else row.keys,
            missing_since=None,
            overdue_since=None,
        )
        return row if after == row else after


def _former(row: Ownership) -> Tuple[str, ...]:
    return row.former if row.account is None else (*row.former, row.account)


def _differences(now: Content, wanted: Content) -> Tuple[str, ...]:
    return tuple(name for name, one, other in zip(Content._fields, now, wanted) if one != other)
