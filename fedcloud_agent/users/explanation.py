"""Why somebody has the account that is there, or none: what Perun says, what follows, what the cloud has. Pure."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

from fedcloud_agent.pki.dn import UnfitNameError, parse_dn
from fedcloud_agent.users.population import Membership, Person, Population
from fedcloud_agent.users.steps import Notice, Plan, Step


class Explanation(NamedTuple):
    """All that concerns one person."""

    person: str
    listed: Tuple[Tuple[str, Membership], ...]
    """By facility."""
    steps: Tuple[Step, ...]
    notices: Tuple[Notice, ...]


def explain(asked: str, plan: Plan, populations: Sequence[Population]) -> List[Explanation]:
    """Return what there is to tell of everybody whom a text means.

    The text is a subject in any spelling, an identifier of Check-in, an id or UID of Perun, or the name of an account.
    """
    everybody = [person for population in populations for person in population.persons]
    wanted = {person.id for person in everybody if _means(asked, person)}
    wanted |= {step.person for step in plan.steps if step.person is not None and asked in _names(step)}
    key = _key(asked)
    if key is not None:
        wanted |= {
            s.person for s in plan.steps if s.person and s.account and key in map(_key, s.account.content.subjects)
        }
    return [
        Explanation(
            one,
            tuple((p.facility, m) for p in everybody if p.id == one for m in p.memberships),
            tuple(step for step in plan.steps if step.person == one),
            tuple(notice for notice in plan.notices if notice.person == one),
        )
        for one in sorted(wanted)
    ]


def _means(asked: str, person: Person) -> bool:
    if asked in (person.id, person.id.partition(":")[2], person.uid, person.login):
        return True
    key = _key(asked)
    return key is not None and any(_key(subject) == key for subject in person.subjects)


def _names(step: Step) -> Tuple[Optional[str], ...]:
    return step.name, step.person, step.account.id if step.account is not None else None


def _key(text: str) -> Optional[str]:
    if "=" not in text:
        return None
    try:
        return parse_dn(text).key
    except UnfitNameError:
        return None
