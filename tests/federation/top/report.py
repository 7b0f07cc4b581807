"""What readers that judge have found, in figures and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Counter, Dict, Iterable, List, Optional

from tests.federation.top.judgement import Complaint

_KEPT = 100
"""So many different complaints of each reader are kept; all are counted."""


@dataclass
class Found:
    """What one reader found. Every field adds up with that of another reader."""

    answers: int = 0
    """All that came, whole or not."""
    judged: int = 0
    """Those that were not, to the letter, what the same reader had got just before."""
    least: Optional[int] = None
    """Of entries in an answer."""
    most: Optional[int] = None
    slowest: float = 0.0
    """Seconds that an answer took, from before the connection."""
    refused: int = 0
    turned_away: int = 0
    """Connections that were closed before anything was answered: they came as the door was being shut."""
    complaints: Dict[Complaint, int] = field(default_factory=dict)
    """How often each was made, in the order in which they were first made."""
    unlisted: int = 0

    def took(self, entries: int, seconds: float) -> None:
        """Count an answer."""
        self.answers += 1
        self.least = entries if self.least is None else min(self.least, entries)
        self.most = entries if self.most is None else max(self.most, entries)
        self.slowest = max(self.slowest, seconds)

    def complain(self, complaints: Iterable[Complaint], times: int = 1) -> None:
        """Count complaints."""
        for one in complaints:
            if one in self.complaints or len(self.complaints) < _KEPT:
                self.complaints[one] = self.complaints.get(one, 0) + times
            else:
                self.unlisted += times

    def with_other(self, other: Found) -> Found:
        """Return both together."""
        counts = [one for one in (self.least, other.least) if one is not None]
        most = [one for one in (self.most, other.most) if one is not None]
        both = Found(
            self.answers + other.answers,
            self.judged + other.judged,
            min(counts, default=None),
            max(most, default=None),
            max(self.slowest, other.slowest),
            self.refused + other.refused,
            self.turned_away + other.turned_away,
            dict(self.complaints),
            self.unlisted + other.unlisted,
        )
        for complaint, times in other.complaints.items():
            both.complain([complaint], times)
        return both


@dataclass(frozen=True)
class Report:
    """What all readers found over so many seconds. ``str`` tells it in lines."""

    found: Found
    seconds: float
    gaps: List[float]
    """Seconds of each time in which connections were refused, in order."""

    @property
    def longest(self) -> float:
        """The longest gap."""
        return max(self.gaps, default=0.0)

    @property
    def complaints(self) -> Dict[Complaint, int]:
        """What was wrong, and how often."""
        return self.found.complaints

    @property
    def kinds(self) -> Dict[str, int]:
        """How often each kind of complaint was made."""
        kinds: Counter[str] = Counter()
        for complaint, times in self.complaints.items():
            kinds[complaint.kind] += times
        return dict(kinds)

    def demand(self, answers: int = 1, longest: Optional[float] = None) -> None:
        """Raise AssertionError, with the whole report, unless nothing was wrong.

        There must be at least so many ``answers``, or nothing was looked at, and no gap longer than ``longest``.
        """
        if self.complaints or self.found.answers < answers or (longest is not None and self.longest > longest):
            raise AssertionError(f"wanted: {answers} answers, no gap above {longest} s, nothing wrong\n{self}")

    def __str__(self) -> str:
        found = self.found
        lines = [
            f"{found.answers} answers in {self.seconds:.1f} s of {found.least} to {found.most} entries, of them "
            f"{found.judged} judged (the others were as before), the slowest took {found.slowest:.3f} s",
            f"{len(self.gaps)} gaps of refused connections, {sum(self.gaps):.3f} s in all, the longest "
            f"{self.longest:.3f} s; {found.refused} readers refused, {found.turned_away} turned away at the door",
            *(f"{times} times: {kind}: {text}" for (kind, text), times in found.complaints.items()),
        ]
        if found.unlisted:
            lines.append(f"{found.unlisted} times: something else")
        return "\n".join(lines if found.complaints else [*lines, "nothing was wrong"])
