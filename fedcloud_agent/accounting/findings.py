"""What an audit can find: kinds in the order in which they are told, counts of each, and the first few by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional

NAMED = 20
"""So many of each kind are kept by name: the memory of an audit does not grow with what it finds."""

KINDS: Dict[str, str] = {
    "clock": "the clocks are apart; set this machine's (chronyc tracking)",
    "unread": "the cloud could not be listed to its end, so nothing is said of what it may have left out",
    "unlisted": "the ledger never listed this part of the cloud; run 'fedcloud-agent accounting extract'",
    "missing": "the cloud shows machines that the ledger lacks; run 'fedcloud-agent accounting extract'",
    "vanished": "the cloud does not show machines any more that the ledger has as alive; the extraction completes them "
    "after a day, few at a time; if many are truly gone, 'fedcloud-agent accounting extract --accept-vanished'",
    "gap": "months of a machine have no record; their usage counts in the next month that has one",
    "drift": "the cloud tells other values than the newest records; after the next extraction "
    "'fedcloud-agent accounting republish' sends past months anew",
    "unacknowledged": "records were never acknowledged; 'fedcloud-agent status' tells how sending fares",
    "open": "months are over, and the newest record of a machine in them is not acknowledged",
    "rejected": "records are set aside; 'fedcloud-agent accounting show --rejected' says why",
    "quarantined": "messages were refused and set aside; 'fedcloud-agent accounting show --rejected' says why",
    "republishing": "a republication is not through yet; it goes on with each sending",
}
"""Kinds of findings, and what to say and do of each."""


class Finding(NamedTuple):
    """One thing that somebody should look at. ``seconds``: by how much two times differ."""

    kind: str
    cloud: Optional[str]
    destination: Optional[str]
    machine: Optional[str]
    text: str
    seconds: Optional[int] = None


@dataclass
class Findings:
    """What was found, and in how much."""

    machines: int = 0
    """Machines that the cloud showed."""
    records: int = 0
    """Records of theirs that were looked at."""
    counts: Dict[str, int] = field(default_factory=dict)
    named: List[Finding] = field(default_factory=list)
    seconds: int = 0
    """All drifts of times together, whichever way."""

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it if it is among the first of its kind."""
        self.more(finding.kind, 1)
        self.seconds += abs(finding.seconds or 0)
        if sum(one.kind == finding.kind for one in self.named) < NAMED:
            self.named.append(finding)

    def more(self, kind: str, number: int) -> None:
        """Count findings that nobody names."""
        assert kind in KINDS
        self.counts[kind] = self.counts.get(kind, 0) + number

    @property
    def well(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.counts
