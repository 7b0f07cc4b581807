"""A look at every cloud: what can be believed takes the place of what was seen last, the rest is counted and named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional, Tuple

from fedcloud_agent.clouds.offer import CloudOffer
from fedcloud_agent.errors import AgentError, RemoteDataError
from fedcloud_agent.infosys.gathering import Seen
from fedcloud_agent.infosys.guards import doubts


@dataclass(frozen=True)
class Look:
    """How a look at one cloud went."""

    name: str
    seen: Optional[Seen]
    """What stands now; None when nothing good was ever seen."""
    failure: Optional[AgentError] = None
    """Why it is not what the cloud tells now."""


def look(now: Seen, before: Optional[Seen], largest_loss: float, *, accept: bool = False) -> Look:
    """Return what to believe of a cloud that answered; with ``accept`` all of it."""
    reasons: Tuple[str, ...] = ()
    if before is not None and not accept:
        reasons = (*doubts(before.offer, now.offer, largest_loss), *_holes(before.offer, now.offer))
    if before is None or not reasons:
        return Look(now.name, now)
    return Look(
        now.name,
        replace(before, failures=before.failures + 1),
        RemoteDataError(
            f"what the cloud {now.name} offers is doubted: {'; '.join(reasons)}",
            hint=f"the last good offer stays published; if it is true, run 'fedcloud-agent infosys publish "
            f"--accept-loss {now.name}'",
        ),
    )


def missed(name: str, before: Optional[Seen], failure: AgentError) -> Look:
    """Return what to believe of a cloud that could not be asked."""
    return Look(name, None if before is None else replace(before, failures=before.failures + 1), failure)


def _holes(before: CloudOffer, now: CloudOffer) -> Tuple[str, ...]:
    """Return the shares that are gone while the cloud had problems to tell: nobody knows whether they are."""
    if not now.problems:
        return ()
    there = {(one.vo, one.project) for one in now.shares}
    gone = [one.vo for one in before.shares if (one.vo, one.project) not in there]
    told = "; ".join(f"{one.subject}: {one.reason}" for one in now.problems[:3])
    return (f"the share of {', '.join(sorted(gone))} is gone, and the cloud told of problems ({told})",) if gone else ()
