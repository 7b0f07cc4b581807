"""The group of each VO, followed when somebody renames it. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, Tuple

from fedcloud_agent.clouds.accounts import Accounts
from fedcloud_agent.users.ownership import Ownership
from fedcloud_agent.users.steps import Notice


def followed(accounts: Accounts, rows: Iterable[Ownership]) -> Tuple[Dict[str, str], List[Notice]]:
    """Return the id of each VO's group; where none has the VO's name any more, our accounts tell which it was."""
    found = dict(accounts.groups)
    notices: List[Notice] = []
    by_id = {account.id: account for account in accounts.accounts}
    for row in rows:
        account = by_id.get(row.account or "")
        if row.vo in found or account is None or account.mark != row.mark:
            continue
        group = account.content.group
        if group in accounts.names:
            found[row.vo] = group
            words = f"the group of {row.vo} is called {accounts.names[group]!r} now: followed by its id, {group}"
            notices.append(Notice("vo-group-renamed", None, words))
    return found, notices
