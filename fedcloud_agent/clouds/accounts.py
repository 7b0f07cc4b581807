"""Accounts that the agent keeps in a cloud: what a cloud tells of them, and what is wanted of them."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Tuple


class Mark(NamedTuple):
    """What the agent writes on each account that it makes, and by which it knows it again; it never changes."""

    perun: str
    """The instance of Perun."""
    user: str
    """Whom Perun meant when the account was made."""
    vo: str


class Content(NamedTuple):
    """What an account holds. A cloud gives back what it was given, or tells how it differs."""

    group: str
    """The cloud's id of the account's own group or project."""
    subjects: Tuple[str, ...]
    """The subjects by which it may be logged in to, for its VO alone: slash form, printable ASCII, in the order given.

    What stands there and is no such subject is given back as it stands, so that it differs from what is wanted."""
    global_user: Optional[str]
    """Who uses it, for accounting."""
    person: Optional[str] = None
    mail: Optional[str] = None
    login: Optional[str] = None
    """The identifier of Check-in."""
    keys: Tuple[str, ...] = ()
    """Public keys of SSH."""
    quota: Tuple[Tuple[str, float], ...] = ()
    """Limits by name, in the order of the names; what is not named has none."""


class Account(NamedTuple):
    """An account as the cloud has it now."""

    id: str
    name: str
    active: bool
    """Whether it can be logged in to: False only when it was suspended in full."""
    content: Content
    mark: Optional[Mark]
    protected: Optional[str] = None
    """Why nobody may touch it, in a few words: an administrator's, the cloud's own. None: it may be."""


class Wanted(NamedTuple):
    """What an account shall be."""

    name: str
    vo: str
    content: Content
    mark: Mark


class Accounts(NamedTuple):
    """All accounts of a cloud, ours or not, and the groups that accounts can be put in."""

    accounts: Tuple[Account, ...]
    groups: Mapping[str, str]
    """The id of the group of each VO that has one."""
    names: Mapping[str, str]
    """The name of every group that there is, by its id."""
