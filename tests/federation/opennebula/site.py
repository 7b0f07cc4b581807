"""The whole simulated oned: its state, its methods, its faults and what it counted, behind one lock."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple

# Importing them puts their methods into the table.
from tests.federation.opennebula import reading, storing, vms, writing  # noqa: F401
from tests.federation.opennebula.faults import Fault, Response, spoil, take, too_large
from tests.federation.opennebula.inventory import Inventory
from tests.federation.opennebula.logins import Logins
from tests.federation.opennebula.machines import Machines
from tests.federation.opennebula.methods import Asked, found
from tests.federation.opennebula.people import People, User
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.stencil import Stencils
from tests.federation.opennebula.wire import (
    AUTHENTICATION,
    Call,
    FaultError,
    RefusedError,
    TooLargeError,
    check_arguments,
    failure,
    fault,
    read_call,
    success,
)
from tests.federation.opennebula.world import World
from tests.federation.openstack.clock import SimulatedClock

LARGEST = 128 * 1024 * 1024
_KEPT_REQUESTS = 20000


@dataclass
class Latency:
    """How long answers take, in seconds: each call, each machine (or record, or sample) in it."""

    per_call: float = 0.0
    per_vm: float = 0.0


class Site:
    """Answers the bodies of requests; state is read and changed under ``lock`` only."""

    def __init__(self, profile: Profile, endpoint: str) -> None:
        self.profile = profile
        self.lock = threading.RLock()
        self.clock = SimulatedClock()
        self.people = People(profile)
        self.logins = Logins(self.people)
        self.inventory = Inventory(endpoint)
        self.machines = Machines(self.clock, World(profile, self.inventory.hosts, self.people.gid_of))
        self.faults: List[Fault] = []
        self.latency = Latency()
        self.largest = LARGEST
        self.image_polls = 2
        self.request_seconds = 15.0
        self.served = 0
        self.meanwhile: Callable[[str, Dict[str, Any]], Any] = _nothing
        self._stencils: Optional[Stencils] = None
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.requests: List[Dict[str, Any]] = []

    def answer(self, body: bytes, caller: Optional[User] = None) -> Response:
        """Return the answer to a request; ``caller`` is known when a proxy found out who it is."""
        with self.lock:
            self.machines.settle()
            self.served = 0
            try:
                call = read_call(body)
            except FaultError as error:
                return self._counted(Call("", ()), Response(200, fault(error.code, error.text)))
            rule = take(self.faults, call.method)
            if rule is None:
                answer = self._ask(call, caller)
            else:
                if rule.kind == "meanwhile":
                    self.meanwhile(rule.details["verb"], dict(rule.details["arguments"]))
                items = self.profile.failure_items
                answer = spoil(rule, call.method, items, lambda: self._ask(call, caller))
            answer.delay += self.latency.per_call + self.latency.per_vm * self.served
            return self._counted(call, answer)

    def stencils(self) -> Stencils:
        """Return what writes the machines of the fleet."""
        fleet = self.machines.fleet
        assert fleet is not None
        if self._stencils is None or self._stencils.fleet is not fleet:
            self._stencils = Stencils(fleet, self.people)
        return self._stencils

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.calls.clear()
        self.bytes.clear()
        self.requests.clear()

    def _ask(self, call: Call, caller: Optional[User]) -> Response:
        try:
            body = self._run(call, caller)
        except FaultError as error:
            body = fault(error.code, error.text)
        except RefusedError as error:
            text = f"[{call.method}] {error.text}"
            body = failure(error.code, text, self.profile.failure_items, error.object_id)
        except TooLargeError:
            return too_large()
        if len(body) > self.largest:
            return too_large()
        return Response(200, body)

    def _run(self, call: Call, caller: Optional[User]) -> bytes:
        method = found(self.profile, call.method)
        if method is None:
            raise FaultError(-506, f"Method '{call.method}' not defined")
        session: Tuple[Any, ...] = tuple(check_arguments("s", call.arguments))
        user = caller or self.logins.user_of(session[0])
        if user is None:
            raise RefusedError(AUTHENTICATION, "User couldn't be authenticated, aborting call.")
        arguments = check_arguments(method.signature, call.arguments[1:])
        return success(method.answer(Asked(self, user, call.method, arguments)))

    def _counted(self, call: Call, answer: Response) -> Response:
        self.calls[call.method] += 1
        self.bytes[call.method] += len(answer.body)
        if len(self.requests) < _KEPT_REQUESTS:
            self.requests.append(
                {
                    "method": call.method,
                    "arguments": list(call.arguments[1:]),
                    "status": answer.status,
                    "bytes": len(answer.body),
                    "vms": self.served,
                }
            )
        return answer


def _nothing(verb: str, arguments: Dict[str, Any]) -> None:
    raise LookupError(f"nobody is there to carry out {verb}")
