"""What each person that is listed should have in each VO, whatever accounts there are. Pure."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from fedcloud_agent.clouds.accounts import Content
from fedcloud_agent.users.identities import identify, spelled
from fedcloud_agent.users.ownership import digest_of
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import ABSENT, ACTIVE, BANS, HELD, SKIPPED, Person, Population, best, merged
from fedcloud_agent.users.steps import Notice

NO_GROUP = "vo-has-no-group"
UID_MISSING = "uid-missing"
UID_DUPLICATE = "uid-duplicate"
NO_SUBJECT = "no-usable-dn"


class Wish(NamedTuple):
    """What somebody should have in a VO: a state of :mod:`fedcloud_agent.users.population` and its reason."""

    person: Person
    vo: str
    state: str
    reason: str
    subjects: Tuple[str, ...]
    """Every spelling of every usable subject, the oldest first."""
    keys: Tuple[str, ...]
    """What usable subjects have in common with all their spellings, for comparing."""
    global_user: Optional[str]

    @property
    def name(self) -> Optional[str]:
        """The name of a new account."""
        return f"{self.vo}_{self.person.uid}" if self.person.uid is not None else None

    @property
    def banned(self) -> bool:
        """Whether somebody decided that this person may not use the site."""
        return self.reason in BANS

    def content(self, group: str, now: Optional[Content], written: Optional[str], policy: Policy) -> Content:
        """Return what the account should hold, given what it holds and the digest of the keys that we wrote.

        What Perun does not tell stays; what a user put in the place of our keys stays too.
        """
        told = Content(
            group=group,
            subjects=self.subjects,
            global_user=self.global_user,
            person=self.person.name,
            mail=self.person.mail,
            login=self.person.login,
            keys=self.person.keys,
            quota=policy.quotas.get(self.vo, ()),
        )
        if now is None:
            return told
        ours = digest_of(now.keys) == written if written is not None else not now.keys
        return told._replace(
            subjects=told.subjects or now.subjects,
            global_user=told.global_user or now.global_user,
            person=told.person or now.person,
            mail=told.mail or now.mail,
            login=told.login or now.login,
            keys=told.keys if ours else now.keys,
            quota=told.quota if policy.enforce_quota and self.vo in policy.quotas else now.quota,
        )


def wishes(populations: Sequence[Population], groups: Mapping[str, str]) -> Tuple[List[Wish], List[Notice]]:
    """Return what everybody should have, and what a person should hear of.

    ``groups`` holds the group of each VO that has one here.
    """
    persons = merged(person for population in populations for person in population.persons)
    identities = identify(persons)
    found: List[Wish] = []
    notices = list(identities.notices)
    for person in persons:
        names = identities.subjects[person.id]
        for one in best(person.memberships).values():
            subjects, complete = spelled(names, one.vo)
            if not complete:
                words = f"{person.id} has more subjects than an account of {one.vo} can hold: the newest are taken"
                notices.append(Notice("too-many-subjects", person.id, words))
            wish = Wish(
                *(person, one.vo, one.state, one.reason, subjects),
                keys=tuple(name.key for name in names),
                global_user=str(names[-1]) if names else None,
            )
            found.append(_judged(wish, one.vo in groups, person.uid in identities.shared_uids))
    return found, [*notices, *_of_skipped(found)]


def _judged(wish: Wish, has_group: bool, shared_uid: bool) -> Wish:
    """Return the wish with the first reason for which it cannot be had."""
    if not has_group:
        return wish._replace(state=SKIPPED, reason=NO_GROUP)
    if wish.banned:
        return wish  # whom a ban means is known by more than the UID, or has no account
    if wish.person.uid is None:
        return wish._replace(state=HELD, reason=UID_MISSING)
    if shared_uid:
        return wish._replace(state=HELD, reason=UID_DUPLICATE)
    if wish.state == ACTIVE and not wish.subjects:
        return wish._replace(state=HELD, reason=NO_SUBJECT)
    return wish


def _of_skipped(found: Iterable[Wish]) -> Iterator[Notice]:
    for vo in sorted({wish.vo for wish in found if wish.state == SKIPPED}):
        yield Notice(NO_GROUP, None, f"the VO {vo} has no group here: nothing is done for its members")


def is_absent(wish: Optional[Wish]) -> bool:
    """Tell whether somebody counts as not listed."""
    return wish is None or wish.state == ABSENT
