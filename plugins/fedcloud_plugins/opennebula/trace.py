"""What is remembered of a machine between two looks, beside its intervals: a few numbers as compact JSON."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple, Optional, Tuple

from fedcloud_agent.clouds.contract import VirtualMachine

Key = Tuple[int, int]
"""STIME and HID of a history record."""


class Last(NamedTuple):
    """The last history record at the last look."""

    seq: int
    stime: int
    hid: int


class Spell(NamedTuple):
    """An uninterrupted run on one host: as long as it lasts, network counters only grow."""

    hid: int
    since: int


class Counters(NamedTuple):
    """Network counters of a spell as they were read last, and when (0: not told)."""

    received: int = 0
    sent: int = 0
    at: int = 0


class Trace(NamedTuple):
    """What was seen at the last look.

    ``open``: the record from which on intervals may still change; that is the last one, but for a migration under way.
    ``off``: its guest was seen stopped, so that what was known of the time before stands whatever oned says later.
    ``network``: the last counters of this spell.
    """

    last: Optional[Last] = None
    open: Optional[Key] = None
    off: bool = False
    spell: Optional[Spell] = None
    network: Counters = Counters()


def written(trace: Trace) -> str:
    """Return a trace as the ledger keeps it."""
    return json.dumps([1, *trace], separators=(",", ":"))


def trace_of(machine: Optional[VirtualMachine]) -> Optional[Trace]:
    """Return the trace of a known machine, or None where there is none that we can read."""
    return None if machine is None or machine.trace is None else _read(machine.trace)


@lru_cache(maxsize=64)
def _read(text: str) -> Optional[Trace]:
    try:
        version, last, key, off, spell, network = json.loads(text)
        if version != 1:
            return None
        return Trace(
            None if last is None else Last(*_whole(last, 3)),
            None if key is None else (_whole(key, 2)[0], _whole(key, 2)[1]),
            bool(off),
            None if spell is None else Spell(*_whole(spell, 2)),
            Counters(*_whole(network, 3)),
        )
    except (ValueError, TypeError):
        return None


def _whole(values: Any, count: int) -> Tuple[int, ...]:
    if len(values) != count or not all(type(value) is int for value in values):
        raise ValueError("not what we wrote")
    return tuple(values)
