"""What really happened to a server: the spans of its states and flavors, and the seconds that follow from them."""

from __future__ import annotations

from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple


class Span(NamedTuple):
    """A value that held from ``start`` until just before ``end`` (None: it still holds)."""

    value: str
    start: int
    end: Optional[int]

    def within(self, start: int, end: int) -> int:
        """Return the seconds of this span inside of the window [start, end)."""
        return max(0, min(end, end if self.end is None else self.end) - max(start, self.start))


class Life(NamedTuple):
    """One server from its creation on; ``ended`` is None while it is not deleted for good.

    ``states`` holds nova's vm_states, the last of them until ``ended``; ``flavors`` the names of its flavors,
    whose sizes stand in ``sizes``: vcpus, MB of memory, GB of disk (root and ephemeral).
    """

    id: str
    project_id: str
    user_id: str
    created: int
    ended: Optional[int]
    purged: bool
    states: Tuple[Span, ...]
    flavors: Tuple[Span, ...]
    sizes: Mapping[str, Tuple[int, int, int]]

    def seconds(self, start: int, end: int, states: Optional[Collection[str]] = None) -> int:
        """Return the seconds in the window that were spent in one of ``states`` (default: in any, so alive)."""
        return sum(span.within(start, end) for span in self.states if states is None or span.value in states)

    def cpu_seconds(self, start: int, end: int, states: Optional[Collection[str]] = None) -> int:
        """Return the seconds in the window, each times the virtual processors that the server had by then."""
        total = 0
        for flavor in self.flavors:
            first = max(start, flavor.start)
            last = end if flavor.end is None else min(end, flavor.end)
            if last > first:
                total += self.seconds(first, last, states) * self.sizes[flavor.value][0]
        return total


def spans(changes: Sequence[Tuple[int, str]], ended: Optional[int]) -> List[Tuple[str, int, Optional[int]]]:
    """Return changes (instant, new value) as spans; what took no time is left out, unless it is the last."""
    result: List[Tuple[str, int, Optional[int]]] = []
    for number, (instant, value) in enumerate(changes):
        end = changes[number + 1][0] if number + 1 < len(changes) else ended
        if end is not None and end <= instant and number + 1 < len(changes):
            continue
        if result and result[-1][0] == value:
            result[-1] = (value, result[-1][1], end)
        else:
            result.append((value, instant, end))
    return result


def life_from(document: Mapping[str, Any]) -> Life:
    """Return a life as the control interface wrote it."""
    sizes: Dict[str, Tuple[int, int, int]] = {
        name: (size[0], size[1], size[2]) for name, size in document["sizes"].items()
    }
    return Life(
        id=document["id"],
        project_id=document["project_id"],
        user_id=document["user_id"],
        created=document["created"],
        ended=document["ended"],
        purged=document["purged"],
        states=tuple(Span(*span) for span in document["states"]),
        flavors=tuple(Span(*span) for span in document["flavors"]),
        sizes=sizes,
    )
