"""All virtual machines of the site: their ids, what happens to them and when, and those that were purged."""

from __future__ import annotations

import bisect
import heapq
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from tests.federation.opennebula.fleet import Fleet
from tests.federation.opennebula.machine import DONE, Machine
from tests.federation.opennebula.stories import ACTS, QUIET
from tests.federation.opennebula.world import Details, World
from tests.federation.openstack.clock import SimulatedClock


class Machines:
    """Machines by id. Those of a fleet are computed when somebody asks, and kept once something happens to them."""

    def __init__(self, clock: SimulatedClock, world: World) -> None:
        self.clock = clock
        self.world = world
        self.machines: Dict[int, Machine] = {}
        self.purged: Dict[int, Machine] = {}
        self.fleet: Optional[Fleet] = None
        self.refused: List[str] = []
        self.next_id = 0
        self._ids: List[int] = []
        self._unborn: Dict[int, Machine] = {}
        self._pending: List[Tuple[int, int, int, str, Any]] = []
        self._queued = 0

    # What happens

    def add(self, machine: Machine) -> Machine:
        """Take a new machine in: now, or when the clock gets there. Raises ValueError when its id is or was taken."""
        taken = (self.machines, self.purged, self._unborn)
        if any(machine.id in rows for rows in taken) or self._in_fleet(machine.id):
            raise ValueError(f"there is or was a machine {machine.id}")
        if machine.stime > self.clock.now():
            self._unborn[machine.id] = machine
            self._schedule(machine.stime, machine.id, "create", None)
        else:
            self._keep(machine)
        machine.changed = max(machine.changed, machine.stime)
        machine.cpus.append((machine.stime, machine.vcpu))
        machine.owners.append((machine.stime, machine.uid))
        machine.groups.append((machine.stime, machine.gid))
        self.next_id = max(self.next_id, machine.id + 1)
        return machine

    def act(self, key: int, action: str, at: Optional[int], details: Details) -> None:
        """Let something happen to a machine: now, at an instant after its last change, or in the future.

        Details that every act takes: seconds of phases by name (``boot=30``), ``fails`` and ``hangs`` (the name of a
        phase, or True for the first). Raises LookupError and ValueError.
        """
        if action not in ACTS:
            raise LookupError(f"no act {action!r}: there are {', '.join(sorted(ACTS))}")
        instant = self.clock.now() if at is None else at
        machine = self.get(key)
        if machine is None and key not in self._unborn:
            raise LookupError(f"no machine {key}")
        if machine is None or instant > self.clock.now():
            self._schedule(instant, key, action, details)
        else:
            self._begin(machine, action, instant, details)
            self.settle()

    def settle(self) -> None:
        """Let happen what was due until now; what was impossible by then is noted in ``refused``."""
        now = self.clock.now()
        while self._pending and self._pending[0][0] <= now:
            instant, _, key, action, details = heapq.heappop(self._pending)
            if action == "create":
                self._keep(self._unborn.pop(key))
                continue
            machine = self.get(key)
            try:
                if machine is None:
                    raise LookupError("it was purged")
                if action == "":
                    story, failed = details
                    if machine.busy is story:
                        self._go_on(machine, instant, (instant, failed))
                    continue
                self._begin(machine, action, instant, details)
            except (LookupError, ValueError) as error:
                self.refused.append(f"{action} of {key} at {instant}: {error}")

    @property
    def pending(self) -> int:
        """Return how many things are still to happen."""
        return len(self._pending)

    def purge(self, key: int) -> None:
        """Forget a machine and its history, as ``onedb purge-done`` does. Raises LookupError."""
        machine = self.get(key)
        if machine is None:
            raise LookupError(f"no machine {key}")
        self.purged[key] = machine
        if self.machines.pop(key, None) is not None:
            self._ids.remove(key)

    def purge_history(self, key: int) -> None:
        """Keep the last two records, renumbered, as ``onedb purge-history`` does."""
        machine = self.kept(key)
        machine.records = machine.records[-2:]
        for number, record in enumerate(machine.records):
            record.seq = number
        machine.rendered.clear()

    def forget_all(self) -> None:
        """Begin again with id 0, as a server does that was installed anew."""
        self.machines.clear()
        self.purged.clear()
        self._ids.clear()
        self._unborn.clear()
        self._pending.clear()
        self.refused.clear()
        self.fleet = None
        self.next_id = 0

    # What is read

    def get(self, key: int) -> Optional[Machine]:
        """Return a machine; one of the fleet is computed and not kept."""
        machine = self.machines.get(key)
        if machine is None and key not in self.purged and self._in_fleet(key):
            assert self.fleet is not None
            return self.fleet.machine(key)
        return machine

    def glance(self, key: int) -> Machine:
        """Return a machine that ``ids`` told of; of one in the fleet the head."""
        machine = self.machines.get(key)
        if machine is None:
            assert self.fleet is not None
            return self.fleet.card(key)
        return machine

    def kept(self, key: int) -> Machine:
        """Return a machine that is kept from now on. Raises LookupError."""
        machine = self.get(key)
        if machine is None:
            raise LookupError(f"no machine {key}")
        if key not in self.machines:
            self._keep(machine)
        return machine

    def ids(self, low: Optional[int], high: Optional[int], live_only: bool = False) -> Iterator[int]:
        """Return the ids from ``low`` to ``high``, both included, ascending; kept or in the fleet.

        ``live_only`` may leave out those that are DONE: it knows them in a fleet.
        """
        start = 0 if low is None else bisect.bisect_left(self._ids, low)
        end = len(self._ids) if high is None else bisect.bisect_right(self._ids, high)
        own: Sequence[int] = self._ids[start:end]
        if self.fleet is None:
            return iter(own)
        return iter(heapq.merge(own, self._fleet_ids(low, high, live_only)))

    def truth(self, keys: Optional[Sequence[int]]) -> List[Dict[str, Any]]:
        """Return the lives of machines as documents for ``life_from``; purged ones too."""
        wanted = sorted({*self.ids(None, None), *self.purged}) if keys is None else keys
        lives = []
        for key in wanted:
            machine = self.purged.get(key) or self.get(key)
            if machine is None:
                raise LookupError(f"no machine {key}")
            lives.append(machine.truth(self.clock.now(), key in self.purged))
        return lives

    def _fleet_ids(self, low: Optional[int], high: Optional[int], live_only: bool) -> Iterator[int]:
        assert self.fleet is not None
        for key in self.fleet.live_ids(low, high) if live_only else self.fleet.ids(low, high):
            if key not in self.machines and key not in self.purged:
                yield key

    def _in_fleet(self, key: int) -> bool:
        return self.fleet is not None and key in self.fleet

    def _keep(self, machine: Machine) -> None:
        self.machines[machine.id] = machine
        if not self._ids or machine.id > self._ids[-1]:
            self._ids.append(machine.id)
        else:
            bisect.insort(self._ids, machine.id)

    def _schedule(self, instant: int, key: int, action: str, details: Any) -> None:
        self._queued += 1
        heapq.heappush(self._pending, (instant, self._queued, key, action, details))

    def _begin(self, machine: Machine, action: str, instant: int, details: Details) -> None:
        act = ACTS[action]
        if not self.world.profile.since(*act.since):
            raise ValueError(f"oned {self.world.profile.text} does not know {action}")
        place = machine.place if machine.busy is None else "busy"
        if place not in act.before:
            raise ValueError(f"cannot {action} a machine that is {place}")
        if instant < machine.changed:
            raise ValueError(f"{instant} lies before the last change of machine {machine.id}, {machine.changed}")
        machine = self.kept(machine.id)
        story = act.story(self.world, machine, instant, details)
        machine.rendered.clear()
        machine.changed = instant
        if action in QUIET:
            for _ in story:
                raise AssertionError("a quiet act takes no time")
            return
        machine.busy, machine.plan = story, details
        self._go_on(machine, instant, None)

    def _go_on(self, machine: Machine, instant: int, outcome: Optional[Tuple[int, bool]]) -> None:
        """Tell a story until it ends, hangs, or a phase of it takes time."""
        story, plan = machine.busy, machine.plan
        assert story is not None
        machine.rendered.clear()
        machine.changed = max(machine.changed, instant)
        try:
            phase = next(story) if outcome is None else story.send(outcome)
            while plan.get("hangs") not in (phase, True):
                outcome = (instant + int(plan.get(phase, 0)), plan.get("fails") in (phase, True))
                if outcome[0] > instant:
                    self._schedule(outcome[0], machine.id, "", (story, outcome[1]))
                    return
                phase = story.send(outcome)
            machine.busy = None
        except StopIteration:
            machine.busy = None
        except ValueError:
            machine.busy = None
            raise

    def statistics(self) -> Dict[str, int]:
        """Return how many machines are kept, purged and in the fleet."""
        fleet = 0 if self.fleet is None else self.fleet.count
        done = sum(machine.state == DONE for machine in self.machines.values())
        return {"kept": len(self.machines), "done": done, "purged": len(self.purged), "fleet": fleet}
