"""Which act starts from which states, and the story that it tells."""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, NamedTuple, Tuple

from tests.federation.opennebula import acts, boots, changes, moves, stops
from tests.federation.opennebula.machine import Machine
from tests.federation.opennebula.world import Details, Story, World

_ALL = frozenset(
    "pending hold running unknown boot_failure move_failure prolog_failure epilog_failure stopped suspended done "
    "failed poweroff undeployed cloning cloning_failure busy".split()
)
_UP = frozenset({"running", "unknown"})


class Act(NamedTuple):
    """``before``: the places that it starts from, ``busy`` for while another act is under way; ``since``: a version."""

    before: FrozenSet[str]
    story: Callable[[World, Machine, int, Details], Story]
    since: Tuple[int, ...] = (3, 2)


def _act(before: str, story: Callable[[World, Machine, int, Details], Story], since: str = "3.2") -> Act:
    return Act(frozenset(before.split()), story, tuple(int(part) for part in since.split(".")))


def _with(story: Callable[[World, Machine, int, Details], Story], **more: object) -> Callable[..., Story]:
    def told(world: World, machine: Machine, instant: int, details: Details) -> Story:
        return story(world, machine, instant, {**details, **more})

    return told


ACTS: Dict[str, Act] = {
    "deploy": _act("pending hold", boots.deploy),
    "hold": _act("pending", changes.hold),
    "release": _act("hold", changes.release),
    "suspend": _act("running unknown", stops.suspend),
    "poweroff": _act("running unknown", stops.poweroff, "3.8"),
    "poweroff_hard": _act("running unknown", _with(stops.poweroff, hard=True), "3.8"),
    "poweroff_inside": _act("running unknown", stops.poweroff_inside, "3.8"),
    "suspend_inside": _act("running unknown", _with(stops.poweroff_inside, suspend=True), "3.8"),
    "power_on_by_hand": _act("poweroff suspended", boots.power_on_by_hand, "3.8"),
    "stop": _act("running unknown suspended", stops.stop),
    "undeploy": _act("running unknown poweroff", stops.undeploy, "4.0"),
    "undeploy_hard": _act("running unknown poweroff", _with(stops.undeploy, hard=True), "4.0"),
    "resume": _act("suspended poweroff stopped undeployed", boots.resume),
    "retry": _act("boot_failure prolog_failure move_failure epilog_failure", changes.retry),
    "terminate": Act(_ALL - {"busy"}, stops.terminate),
    "terminate_hard": Act(_ALL - {"busy"}, _with(stops.terminate, hard=True)),
    "delete": Act(_ALL - {"done"}, stops.delete),
    "delete_db": Act(_ALL - {"done"}, stops.delete_db, (5, 12)),
    "recreate": Act(_ALL - {"done", "pending", "hold"}, stops.recreate),
    "live_migrate": Act(_UP, moves.live_migrate),
    "migrate": _act("running unknown poweroff suspended", moves.migrate),
    "resize": _act("running poweroff undeployed", changes.resize, "4.0"),
    "chown": Act(_ALL, changes.give),
    "change": Act(_ALL, changes.change),
    "rename": Act(_ALL, changes.change),
    "alter": Act(_ALL, changes.alter),
    "reboot": _act("running", changes.reboot),
    "snapshot": _act("running", changes.reboot),
    "unknown": _act("running", changes.lose),
    "found": _act("unknown", changes.find),
    "state": Act(_ALL, changes.state),
    "clone": _act("pending", _with(changes.state, state=10)),
    "cloned": _act("cloning", _with(changes.state, state=1)),
    "clone_failed": _act("cloning", _with(changes.state, state=11)),
}
ACTS.update(
    {name: _act("running poweroff", _with(changes.copy, action=number), "3.8") for name, number in acts.COPIES.items()}
)

# What may happen while something else is under way, and does not disturb it.
QUIET = frozenset({"chown", "change", "rename", "alter"})
