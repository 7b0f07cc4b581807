"""The servers of the site: their creation, what happens to them, and the orders in which they are listed."""

from __future__ import annotations

import heapq
import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tests.federation.openstack.acts import ACTS, POWER, Act, status_of
from tests.federation.openstack.clock import SimulatedClock
from tests.federation.openstack.history import spans
from tests.federation.openstack.inventory import Flavor


class Event(NamedTuple):
    """One row of os-instance-actions."""

    action: str
    request_id: str
    user_id: str
    project_id: str
    started: int
    finished: int


@dataclass
class Server:
    """One row of nova's instances. Instants are seconds; ``rendered`` keeps the last bytes that it was shown as."""

    id: str
    serial: int
    name: str
    project_id: str
    user_id: str
    flavor: Flavor
    image_id: Optional[str]
    created: int
    updated: int
    launched: Optional[int] = None
    terminated: Optional[int] = None
    vm_state: str = "building"
    task_state: Optional[str] = "scheduling"
    power_state: int = 0
    host: Optional[str] = None
    cell: str = "cell1"
    zone: str = "nova"
    addresses: Dict[str, List[Dict[str, Any]]] = field(default_factory=dict)
    volumes: List[str] = field(default_factory=list)
    metadata: Dict[str, str] = field(default_factory=dict)
    key_name: Optional[str] = None
    user_data: Optional[str] = None
    locked: bool = False
    fault: Optional[Tuple[int, str]] = None
    ended: Optional[int] = None
    events: List[Event] = field(default_factory=list)
    states: List[Tuple[int, str]] = field(default_factory=list)
    flavors: List[Tuple[int, Flavor]] = field(default_factory=list)
    before_resize: Optional[Tuple[str, Flavor]] = None
    network: Tuple[str, str, str] = ("private", "", "")
    rendered: Optional[Tuple[Any, bytes]] = None

    @property
    def deleted(self) -> bool:
        """Tell whether the row is marked as deleted (a soft-deleted one is not)."""
        return self.vm_state == "deleted"

    @property
    def status(self) -> str:
        """Return the status that the API shows."""
        return status_of(self.vm_state, self.task_state)


Order = Tuple[Tuple[str, bool], ...]  # (sort key, descending), the first counts most

# Sort keys of the list, and the attribute behind each.
SORT_KEYS: Dict[str, str] = {
    "created_at": "created",
    "display_name": "name",
    "host": "host",
    "image_ref": "image_id",
    "key_name": "key_name",
    "launched_at": "launched",
    "power_state": "power_state",
    "project_id": "project_id",
    "task_state": "task_state",
    "terminated_at": "terminated",
    "updated_at": "updated",
    "user_id": "user_id",
    "uuid": "id",
    "vm_state": "vm_state",
}
_FIXED = frozenset({"created_at", "uuid", "project_id", "user_id", "key_name"})


class Fleet:
    """All servers that nova has a row of, and the lives of those that it has forgotten."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.random = random.Random(4711)
        self.servers: Dict[str, Server] = {}
        self.forgotten: Dict[str, Server] = {}
        self.refused: List[str] = []
        self._serial = 0
        self._pending: List[Tuple[int, int, str, str, Dict[str, Any]]] = []
        self._unborn: Dict[str, Server] = {}
        self._queued = 0
        self._members = 0
        self._changes = 0
        self._orders: Dict[Order, Tuple[int, List[Server], Dict[str, int]]] = {}

    @property
    def pending(self) -> int:
        """Return how many things are still to happen."""
        return len(self._pending)

    # What happens

    def create(self, server: Server, boot_seconds: int, state: str) -> None:
        """Add a server; what lies ahead of the clock happens when it gets there.

        ``state`` is what becomes of it: ``active`` after the time to boot, ``building`` for ever, ``error`` at once.
        """
        self._serial += 1
        server.serial = self._serial
        born = server.created
        if born > self.clock.now():
            self._unborn[server.id] = server
            self._schedule(born, server.id, "create", {})
        else:
            self._birth(server)
        if state == "active":
            self.act(server.id, "launch", born + boot_seconds)
        elif state == "error":
            self.act(server.id, "error", born + boot_seconds, {"message": "No valid host was found. "})
        elif state != "building":
            raise ValueError(f"a server is created active, building or error, not {state!r}")

    def act(self, key: str, action: str, at: Optional[int] = None, details: Optional[Dict[str, Any]] = None) -> None:
        """Let something happen to a server now, in its past (not before its last change) or in the future.

        Raises LookupError for an unknown server or action, ValueError when its state does not allow it.
        """
        instant = self.clock.now() if at is None else at
        if action not in ACTS:
            raise LookupError(f"no action {action!r}: there are {', '.join(sorted(ACTS))}")
        if key not in self.servers and key not in self._unborn:
            raise LookupError(f"no server {key}")
        if instant > self.clock.now() or key in self._unborn:
            self._schedule(instant, key, action, details or {})
        else:
            self._perform(self.servers[key], action, instant, details or {})

    def settle(self) -> None:
        """Let happen what was due until now; what was impossible by then is noted in ``refused``."""
        now = self.clock.now()
        while self._pending and self._pending[0][0] <= now:
            instant, _, key, action, details = heapq.heappop(self._pending)
            if action == "create":
                self._birth(self._unborn.pop(key))
                continue
            try:
                self._perform(self.servers[key], action, instant, details)
            except (KeyError, ValueError) as error:
                self.refused.append(f"{action} of {key} at {instant}: {error}")

    def purge(self, key: str, force: bool = False) -> None:
        """Forget a deleted row, as archiving does; ``force`` forgets any. Raises LookupError and ValueError."""
        server = self.servers.get(key)
        if server is None:
            raise LookupError(f"no server {key}")
        if not (server.deleted or force):
            raise ValueError(f"server {key} is not deleted")
        del self.servers[key]
        server.rendered = None
        self.forgotten[key] = server
        self._members += 1

    def _schedule(self, instant: int, key: str, action: str, details: Dict[str, Any]) -> None:
        self._queued += 1
        heapq.heappush(self._pending, (instant, self._queued, key, action, details))

    def _birth(self, server: Server) -> None:
        server.states.append((server.created, "building"))
        server.flavors.append((server.created, server.flavor))
        self._note(server, "create", server.created, {})
        self.servers[server.id] = server
        self._members += 1

    def _note(self, server: Server, action: str, instant: int, details: Mapping[str, Any]) -> None:
        number = f"req-{uuid.UUID(int=self.random.getrandbits(128), version=4)}"
        user = details.get("user") or server.user_id
        project = details.get("project") or server.project_id
        server.events.append(Event(action, number, user, project, details.get("started") or instant, instant))

    def _perform(self, server: Server, action: str, instant: int, details: Dict[str, Any]) -> None:
        act = ACTS[action]
        if server.vm_state not in act.before:
            raise ValueError(f"cannot {action} a server that is {server.vm_state}")
        if instant < server.updated and not act.silent:
            raise ValueError(f"{instant} lies before the last change of {server.id}, {server.updated}")
        after = self._consequences(server, act, action, instant, details)
        server.rendered = None
        self._changes += 1
        if act.silent:
            return
        server.updated = instant
        server.task_state = details.get("task_state") if action == "task" else None
        if act.recorded is not None:
            self._note(server, act.recorded, instant, details)
        if act.relaunch:
            server.launched = instant
        if after is not None and after != server.vm_state:
            server.vm_state = after
            server.power_state = POWER.get(after, server.power_state)
            server.states.append((instant, after))
        if after == "deleted":
            server.ended = instant
            server.addresses = {}
            never_ran = server.launched is None
            server.terminated = instant if details.get("terminated", not never_ran) else None

    def _consequences(
        self, server: Server, act: Act, action: str, instant: int, details: Dict[str, Any]
    ) -> Optional[str]:
        """Do what is special about an action and return the state that follows."""
        after = act.after
        if action == "launch":
            server.events[0] = server.events[0]._replace(finished=instant)
        if action in ("launch", "unshelve"):
            server.host = details.get("host") or server.network[2]
            self._connect(server)
        elif action == "shelve_offload":
            server.host = None
        elif action in ("evacuate", "rebuild"):
            server.host = details.get("host", server.host)
            server.image_id = details.get("image", server.image_id)
            after = after or ("stopped" if server.vm_state == "stopped" else "active")
        elif action == "resize":
            server.before_resize = (server.vm_state, server.flavor)
            self._refit(server, details["flavor"], instant)
        elif action in ("confirm_resize", "revert_resize"):
            assert server.before_resize is not None
            after, flavor = server.before_resize
            if action == "revert_resize":
                self._refit(server, flavor, instant)
            server.before_resize = None
        elif action == "error":
            server.fault = (instant, details.get("message", "Something went wrong."))
        elif action == "rename":
            server.name = details["name"]
        elif action in ("lock", "unlock"):
            server.locked = action == "lock"
        elif action == "attach_floating_ip":
            self._float(server, details["address"])
        elif action == "detach_floating_ip":
            for ports in server.addresses.values():
                ports[:] = [port for port in ports if port["addr"] != details["address"]]
        elif action == "attach_volume":
            server.volumes = [*server.volumes, details["volume"]]
        elif action == "detach_volume":
            server.volumes = [volume for volume in server.volumes if volume != details["volume"]]
        return after

    def _refit(self, server: Server, flavor: Flavor, instant: int) -> None:
        server.flavor = flavor
        server.flavors.append((instant, flavor))

    def _connect(self, server: Server) -> None:
        network, address, _ = server.network
        if network and not server.addresses:
            mac = "fa:16:3e:" + ":".join(f"{server.serial >> shift & 255:02x}" for shift in (16, 8, 0))
            version = 6 if ":" in address else 4
            port = {"version": version, "addr": address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac}
            server.addresses = {network: [port]}

    def _float(self, server: Server, address: str) -> None:
        if not server.addresses:
            raise ValueError(f"server {server.id} has no port to bind {address} to")
        ports = next(iter(server.addresses.values()))
        mac = ports[0]["OS-EXT-IPS-MAC:mac_addr"]
        version = 6 if ":" in address else 4
        port = {"version": version, "addr": address, "OS-EXT-IPS:type": "floating", "OS-EXT-IPS-MAC:mac_addr": mac}
        ports.append(port)

    # What is read

    def ordered(self, order: Order) -> Tuple[List[Server], Dict[str, int]]:
        """Return all rows in an order, with the place of each; equal ones stand by id, as when nova merges cells."""
        fixed = all(key in _FIXED for key, _ in order)
        revision = self._members if fixed else -(self._members + self._changes)
        kept = self._orders.get(order)
        if kept is not None and kept[0] == revision:
            return kept[1], kept[2]
        rows = sorted(self.servers.values(), key=lambda server: server.id)
        for key, descending in reversed(order):
            attribute = SORT_KEYS[key]
            rows.sort(key=lambda server: _sortable(getattr(server, attribute)), reverse=descending)
        places = {server.id: place for place, server in enumerate(rows)}
        self._orders[order] = (revision, rows, places)
        return rows, places

    def truth(self, keys: Optional[Sequence[str]] = None) -> List[Dict[str, Any]]:
        """Return the lives of servers, of the forgotten ones too, as documents for ``life_from``."""
        wanted = [*self.servers, *self.forgotten] if keys is None else list(keys)
        return [self._life(key) for key in wanted]

    def _life(self, key: str) -> Dict[str, Any]:
        server = self.servers.get(key) or self.forgotten.get(key)
        if server is None:
            raise LookupError(f"no server {key}")
        sizes: Dict[str, Tuple[int, int, int]] = {}
        flavors: List[Tuple[int, str]] = []
        for instant, flavor in server.flavors:
            size = (flavor.vcpus, flavor.ram, flavor.disk + flavor.ephemeral)
            # A flavor may have been replaced by one of the same name.
            name = flavor.name if sizes.get(flavor.name, size) == size else f"{flavor.name} {size}"
            sizes[name] = size
            flavors.append((instant, name))
        states = [change for change in server.states if change[1] != "deleted"]
        return {
            "id": server.id,
            "project_id": server.project_id,
            "user_id": server.user_id,
            "created": server.created,
            "ended": server.ended,
            "purged": key in self.forgotten,
            "states": spans(states, server.ended),
            "flavors": spans(flavors, server.ended),
            "sizes": sizes,
        }


def _sortable(value: Any) -> Tuple[bool, Any]:
    return (value is not None, value if value is not None else "")
