"""Network traffic since the start, out of counters that begin anew with every process of the hypervisor. Pure."""

from __future__ import annotations

from typing import NamedTuple, Optional

from fedcloud_plugins.opennebula.row import Sample
from fedcloud_plugins.opennebula.trace import Counters, Spell

_MOST = 2**63 - 1


class Traffic(NamedTuple):
    """Bytes since the start, as the guest sees them (None: never told), and the counters that were read last."""

    inbound: Optional[int]
    outbound: Optional[int]
    last: Counters


def advanced(before: Traffic, then: Optional[Spell], now: Optional[Spell], sample: Optional[Sample]) -> Traffic:
    """Return the traffic after one more sample.

    ``then`` and ``now``: the run on one host in which the machine was at the previous look, and is at this one; where
    they differ, its counters began anew. They did too where one is lower than before, but not where it is 0: that is
    what the probe says of a guest that just starts, is saved, migrates or does not answer. A sample from before this
    run says nothing of it, and one that is older than the one that was read last nothing at all.
    """
    last = before.last if then == now else Counters()
    if sample is None or now is None or (sample.at is not None and sample.at <= max(now.since, last.at)):
        return before._replace(last=last)
    counters = Counters(sample.received or last.received, sample.sent or last.sent, sample.at or 0)
    return Traffic(
        _sum(before.inbound, last.received, sample.received),
        _sum(before.outbound, last.sent, sample.sent),
        # where nothing moved nothing is new, and the ledger need not write it down
        last if counters[:2] == last[:2] else counters,
    )


def _sum(total: Optional[int], last: int, counter: int) -> Optional[int]:
    if not counter:
        return total
    grown = counter - last if counter >= last else counter
    return min((total or 0) + grown, _MOST)
