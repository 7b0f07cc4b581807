"""How many calls an hourly run makes to an OpenNebula, counted by it."""

from __future__ import annotations

from typing import Dict, Iterator

from bench import child
from bench.figure import Figure, bound
from bench.oned import RECORDS, Oned, fleets_of
from bench.session import Session

NAME = "oned-calls"
_WINDOW = 500
_MORE = 20


def measure(session: Session) -> Iterator[Figure]:
    large, small = fleets_of(session)
    for name, oned in ((f"{NAME}-large", large), (NAME, small)):
        if not (oned.box.state / "agent.db").exists():
            oned.extract()
        yield bound(
            name,
            [hour(oned) for _ in range(session.turns)],
            "calls",
            f"Calls of 'accounting extract' an hour after the last one, counted by an OpenNebula of whose {oned.size} "
            f"live machines with {RECORDS} history records each 1 % were terminated, suspended, migrated or came anew; "
            f"at most one for each {_WINDOW} live ones, one for each that changed or came, and {_MORE}.",
        )


def hour(oned: Oned) -> Dict[str, float]:
    """Let an hour pass; the peer is how many calls are allowed."""
    came, changed = oned.an_hour()
    oned.box.oned.reset_calls()
    said = child.run(oned.command, oned.environment).output
    if f": {came} new machine" not in said:
        raise RuntimeError(f"that was not the hour that was made:\n{said}")
    return {"ours": sum(oned.box.oned.calls().values()), "peer": oned.size // _WINDOW + came + changed + _MORE}
