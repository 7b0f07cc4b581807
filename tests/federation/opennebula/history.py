"""What really happened to a machine: when its guest ran, with how many processors, and whose it was."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple


class Run(NamedTuple):
    """A time during which the guest was on a hypervisor, from the start of its boot until it was gone (None: still)."""

    start: int
    end: Optional[int]

    def within(self, start: int, end: int) -> int:
        """Return the seconds of this run inside of the window [start, end)."""
        return max(0, (end if self.end is None else min(end, self.end)) - max(start, self.start))


class Since(NamedTuple):
    """A value that holds from an instant until the next one of its row."""

    start: int
    value: int


class Life(NamedTuple):
    """One machine from its creation on; ``ended`` is None while it is not DONE.

    ``runs`` never overlap nor touch. ``cpus``, ``owners`` and ``groups`` hold each value since when. ``blurred``: this
    version of oned lost something that happened, so that no reader who comes late can tell the runs from its records.
    Processors and owners of the past are in no record: they are known to who looked in time.
    ``received`` and ``sent`` are the bytes of the guest's network until now.
    """

    id: int
    created: int
    ended: Optional[int]
    purged: bool
    blurred: bool
    runs: Tuple[Run, ...]
    cpus: Tuple[Since, ...]
    owners: Tuple[Since, ...]
    groups: Tuple[Since, ...]
    received: int
    sent: int

    @property
    def uid(self) -> int:
        """The owner at last."""
        return self.owners[-1].value

    @property
    def gid(self) -> int:
        """The group at last."""
        return self.groups[-1].value

    def seconds(self, start: int, end: int) -> int:
        """Return the seconds in the window during which the guest ran."""
        return sum(run.within(start, end) for run in self.runs)

    def alive(self, start: int, end: int) -> int:
        """Return the seconds in the window between creation and end, running or not."""
        return Run(self.created, self.ended).within(start, end)

    def cpu_seconds(self, start: int, end: int) -> int:
        """Return the running seconds in the window, each times the virtual processors of that moment."""
        total = 0
        for number, since in enumerate(self.cpus):
            last = self.cpus[number + 1].start if number + 1 < len(self.cpus) else end
            first, last = max(start, since.start), min(end, last)
            if last > first:
                total += self.seconds(first, last) * since.value
        return total


def merged(spans: Sequence[Tuple[int, Optional[int]]]) -> List[Run]:
    """Return spans in order of their start as runs: those that touch become one, those that took no time go."""
    result: List[Run] = []
    for start, end in spans:
        if end is not None and end <= start:
            continue
        if result and result[-1].end is not None and start <= result[-1].end:
            end = None if end is None else max(end, result[-1].end)
            result[-1] = Run(result[-1].start, end)
        else:
            result.append(Run(start, end))
    return result


def life_from(document: Mapping[str, Any]) -> Life:
    """Return a life as the control interface wrote it."""
    return Life(
        id=document["id"],
        created=document["created"],
        ended=document["ended"],
        purged=document["purged"],
        blurred=document["blurred"],
        runs=tuple(Run(*row) for row in document["runs"]),
        cpus=tuple(Since(*row) for row in document["cpus"]),
        owners=tuple(Since(*row) for row in document["owners"]),
        groups=tuple(Since(*row) for row in document["groups"]),
        received=document["received"],
        sent=document["sent"],
    )
