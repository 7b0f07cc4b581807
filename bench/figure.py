"""A figure, and how one comes from runs of ours and of its peer in turn."""

from __future__ import annotations

import dataclasses
import statistics
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``ours`` and ``peer`` are medians in ``unit``; ``runs`` are the raw ones, in their order."""

    name: str
    ours: Optional[float]
    peer: Optional[float]
    unit: str
    figure: Optional[float]
    target: float
    met: bool
    runs: List[Dict[str, float]]
    how: str

    def as_json(self) -> Dict[str, Any]:
        return dataclasses.asdict(self)

    def line(self) -> str:
        if self.figure is None:
            return f"{self.name:18} not measured  {self.how}"
        verdict = "met" if self.met else "MISSED"
        figures = f"{self.figure:10.3f}  (target {self.target:g}, {verdict})"
        return f"{self.name:18} {figures}  ours {self.ours:.6g}, peer {self.peer:.6g} {self.unit}"


def in_turn(turns: int, ours: Callable[[], float], peer: Callable[[], float]) -> List[Dict[str, float]]:
    """Measure ours, the peer, ours, the peer, …"""
    return [{"ours": ours(), "peer": peer()} for _ in range(turns)]


def ratio(
    name: str,
    runs: List[Dict[str, float]],
    unit: str,
    target: float,
    how: str,
    *,
    at_least: bool = False,
    inverse: bool = False,
) -> Figure:
    """Return ours over the peer's (``inverse``: the peer's over ours), which is to be at most (at least) ``target``."""
    ours = statistics.median(run["ours"] for run in runs)
    peer = statistics.median(run["peer"] for run in runs)
    figure = peer / ours if inverse else ours / peer
    return _figure(
        name, ours, peer, unit, figure, target, figure >= target if at_least else figure <= target, runs, how
    )


def bound(name: str, runs: List[Dict[str, float]], unit: str, how: str) -> Figure:
    """Return ours, which is to be at most what stands in the place of the peer."""
    ours = statistics.median(run["ours"] for run in runs)
    peer = statistics.median(run["peer"] for run in runs)
    return _figure(name, ours, peer, unit, ours, peer, ours <= peer, runs, how)


def not_measured(name: str, unit: str, target: float, how: str) -> Figure:
    return Figure(name, None, None, unit, None, target, False, [], how)


def _figure(
    name: str,
    ours: float,
    peer: float,
    unit: str,
    figure: float,
    target: float,
    met: bool,
    runs: List[Dict[str, float]],
    how: str,
) -> Figure:
    rounded = [{key: round(value, 6) for key, value in run.items()} for run in runs]
    return Figure(name, round(ours, 6), round(peer, 6), unit, round(figure, 4), target, met, rounded, how)
