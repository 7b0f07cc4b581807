"""Whether what a cloud tells can be true, seen beside what it told before."""

from __future__ import annotations

from typing import Iterable, Iterator, Set, Tuple

from fedcloud_agent.clouds.offer import CloudOffer

_FEW = 3
"""Of so few things any number may go at once."""


def doubts(before: CloudOffer, now: CloudOffer, largest_loss: float) -> Tuple[str, ...]:
    """Return why a new picture of a cloud should not replace the last good one; empty when it may.

    ``largest_loss`` is in percent. What is gone is judged, not what came: a cloud may grow at once, and does not shrink
    at once, but an answer that was cut off looks as if it did.
    """
    return tuple(
        f"{len(gone)} of {len(had)} {what} are gone at once"
        for what, had, has in _pairs(before, now)
        if had and (gone := had - has) and (not has or (len(had) > _FEW and len(gone) * 100 > largest_loss * len(had)))
    )


def _pairs(before: CloudOffer, now: CloudOffer) -> Iterator[Tuple[str, Set[str], Set[str]]]:
    for what, old, new in (
        ("endpoints", (e.url for e in before.endpoints), (e.url for e in now.endpoints)),
        ("shares", _shares(before), _shares(now)),
        ("instance types", (t.id for t in before.instance_types), (t.id for t in now.instance_types)),
        ("images", (i.id for i in before.images), (i.id for i in now.images)),
    ):
        yield what, set(old), set(new)


def _shares(offer: CloudOffer) -> Iterable[str]:
    return (f"{one.vo} {one.project}" for one in offer.shares)
