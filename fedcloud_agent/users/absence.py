"""What becomes of the account of somebody who is not listed any more. Pure.

Time is that of the lists: while none comes, nobody's grace runs out, whatever the clock of this machine does.
"""

from __future__ import annotations

import dataclasses
from typing import Tuple

from fedcloud_agent.clock import DAY
from fedcloud_agent.users.ownership import Ownership
from fedcloud_agent.users.policy import DELETE as ON_MISSING_DELETE
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.steps import DELETE, KEEP, NOTE, SUSPEND


def verdict(row: Ownership, active: bool, as_of: int, policy: Policy) -> Tuple[str, str, Ownership]:
    """Return the action, its reason in words, and the row after it.

    An account is suspended at once, and deleted only when two lists that are a day apart lacked its person after the
    grace: a clock that jumped shows no second time.
    """
    since = row.missing_since
    if since is None or since > as_of:
        since = as_of
    noted = dataclasses.replace(row, missing_since=since, overdue_since=None)
    if active:
        return SUSPEND, "not listed any more", noted
    if policy.on_missing != ON_MISSING_DELETE:
        return _note(row, noted, "not listed any more, and suspended")
    if as_of - since < policy.grace:
        days = -(-(policy.grace - (as_of - since)) // DAY)
        return _note(row, noted, f"not listed any more, suspended, and kept for {days} more days")
    overdue = row.overdue_since
    if overdue is None or overdue > as_of:
        overdue = as_of
    noted = dataclasses.replace(noted, overdue_since=overdue)
    if as_of - overdue < DAY:
        return _note(row, noted, "the grace is over: a list of a day later has to lack this person, too")
    return DELETE, f"not listed for {(as_of - since) // DAY} days", noted


def _note(row: Ownership, after: Ownership, words: str) -> Tuple[str, str, Ownership]:
    return (KEEP if after == row else NOTE), words, after
