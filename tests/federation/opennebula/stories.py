"""Which act starts from which states, and the story that it tells."""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, NamedTuple

from tests.federation.opennebula import acts, lives
from tests.federation.opennebula.lives import Details, Story, World
from tests.federation.opennebula.machine import Machine

_ALL = frozenset(
    "pending hold running unknown boot_failure move_failure prolog_failure epilog_failure stopped suspended done "
    "failed poweroff undeployed cloning cloning_failure busy".split()
)
_UP = frozenset({"running", "unknown"})


class Act(NamedTuple):
    """``before``: the places that it starts from; ``interrupts``: it may come while another act is under way."""

    before: FrozenSet[str]
    story: Callable[[World, Machine, int, Details], Story]
    interrupts: bool = False


def _act(before: str, story: Callable[[World, Machine, int, Details], Story], interrupts: bool = False) -> Act:
    return Act(frozenset(before.split()), story, interrupts)


def _with(story: Callable[[World, Machine, int, Details], Story], **more: object) -> Callable[..., Story]:
    def told(world: World, machine: Machine, instant: int, details: Details) -> Story:
        return story(world, machine, instant, {**details, **more})

    return told


ACTS: Dict[str, Act] = {
    "deploy": _act("pending hold", lives.deploy),
    "hold": _act("pending", lives.hold),
    "release": _act("hold", lives.release),
    "suspend": _act("running unknown", lives.suspend),
    "poweroff": _act("running unknown", lives.poweroff),
    "poweroff_hard": _act("running unknown", _with(lives.poweroff, hard=True)),
    "poweroff_inside": _act("running unknown", lives.poweroff_inside),
    "suspend_inside": _act("running unknown", _with(lives.poweroff_inside, suspend=True)),
    "power_on_by_hand": _act("poweroff suspended", lives.power_on_by_hand),
    "stop": _act("running unknown suspended", lives.stop),
    "undeploy": _act("running unknown poweroff", lives.undeploy),
    "undeploy_hard": _act("running unknown poweroff", _with(lives.undeploy, hard=True)),
    "resume": _act("suspended poweroff stopped undeployed", lives.resume),
    "retry": _act("boot_failure prolog_failure move_failure epilog_failure", lives.retry),
    "terminate": Act(_ALL - {"busy"}, lives.terminate),
    "terminate_hard": Act(_ALL - {"busy"}, _with(lives.terminate, hard=True)),
    "delete": Act(_ALL - {"done"}, lives.delete, interrupts=True),
    "delete_db": Act(_ALL - {"done"}, lives.delete_db, interrupts=True),
    "recreate": Act(_ALL - {"done", "pending", "hold"}, lives.recreate, interrupts=True),
    "live_migrate": Act(_UP, lives.live_migrate),
    "migrate": _act("running unknown poweroff suspended", lives.migrate),
    "resize": _act("running poweroff undeployed", lives.resize),
    "chown": Act(_ALL, lives.give),
    "change": Act(_ALL, lives.change),
    "rename": Act(_ALL, lives.change),
    "alter": Act(_ALL, lives.alter),
    "reboot": _act("running", lives.reboot),
    "snapshot": _act("running", lives.reboot),
    "unknown": _act("running", lives.lose),
    "found": _act("unknown", lives.find),
    "state": Act(_ALL, lives.state, interrupts=True),
    "clone": _act("pending", _with(lives.state, state=10)),
    "cloned": _act("cloning", _with(lives.state, state=1)),
    "clone_failed": _act("cloning", _with(lives.state, state=11)),
}
ACTS.update({name: _act("running poweroff", _with(lives.copy, action=number)) for name, number in acts.COPIES.items()})

# What may happen while something else is under way, and does not disturb it.
QUIET = frozenset({"chown", "change", "rename", "alter"})
