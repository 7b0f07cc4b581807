"""The whole simulated site: its state, its three services, its faults and what it counted, behind one lock."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, List, Protocol

from tests.federation.openstack.clock import SimulatedClock, http_date
from tests.federation.openstack.faults import Fault, Faults
from tests.federation.openstack.fleet import Fleet
from tests.federation.openstack.glance import Glance
from tests.federation.openstack.identity import Identity
from tests.federation.openstack.inventory import Capacity, Flavor, Image
from tests.federation.openstack.keystone import Keystone
from tests.federation.openstack.nova import Nova
from tests.federation.openstack.wire import Request, Response, plain_error

_KEPT_REQUESTS = 20000
_ID = re.compile(r"/([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?=/|$)")


@dataclass
class Latency:
    """How long answers take, in seconds: each call, each server in a page, each login."""

    per_call: float = 0.0
    per_server: float = 0.0
    per_login: float = 0.0


class Service(Protocol):
    """What answers below one prefix."""

    def answer(self, request: Request) -> Response:
        """Return the answer to a request whose path starts behind the prefix."""


class Site:
    """Answers requests to the services; state is read and changed under ``lock`` only."""

    def __init__(self, base: str) -> None:
        self.lock = threading.RLock()
        self.clock = SimulatedClock()
        self.identity = Identity()
        self.fleet = Fleet(self.clock)
        self.flavors: Dict[str, Flavor] = {}
        self.images: Dict[str, Image] = {}
        self.capacity = Capacity()
        self.keystone = Keystone(self.identity, base)
        self.nova = Nova(self.identity, self.fleet, self.flavors, self.capacity, base)
        self.glance = Glance(self.identity, self.images, base)
        self.faults = Faults(base + "/identity/v3")
        self.latency = Latency()
        self.calls: Counter[str] = Counter()
        self.requests: List[Dict[str, Any]] = []
        self.services: Dict[str, Service] = {"identity": self.keystone, "compute": self.nova, "image": self.glance}

    def answer(self, request: Request, target: str) -> Response:
        """Return the answer to a request; ``target`` is its path and query as they came."""
        with self.lock:
            self.fleet.settle()
            fault = self.faults.take(request.method, target)
            service = request.path.split("/")[1]
            if fault is None:
                answer = self._ask(service, request)
            else:
                self._prepare(fault, request)
                answer = self.faults.spoil(fault, service, request, lambda: self._ask(service, request))
            login = request.method == "POST" and request.path.endswith("/auth/tokens")
            answer.delay += self.latency.per_call + self.latency.per_server * answer.rows
            answer.delay += self.latency.per_login if login else 0.0
            answer.headers.append(("Date", http_date(self.clock.now() + answer.date_shift)))
            self._count(request, target, answer)
            return answer

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.calls.clear()
        self.requests.clear()

    def _ask(self, service: str, request: Request) -> Response:
        behind = self.services.get(service)
        if behind is None:
            return plain_error(404, "There is no service at this path.")
        return behind.answer(request.under("/" + service))

    def _prepare(self, fault: Fault, request: Request) -> None:
        if fault.kind == "expire_tokens":
            self.identity.tokens.clear()
        marker = request.first("marker")
        if fault.kind == "purge_marker" and marker in self.fleet.servers:
            self.fleet.purge(marker or "", force=True)

    def _count(self, request: Request, target: str, answer: Response) -> None:
        kind = _ID.sub("/{id}", request.path.rstrip("/"))
        self.calls[f"{request.method} {kind}"] += 1
        if len(self.requests) < _KEPT_REQUESTS:
            version = request.headers.get("OpenStack-API-Version") or request.headers.get(
                "X-OpenStack-Nova-API-Version"
            )
            self.requests.append(
                {"method": request.method, "target": target, "version": version, "status": answer.status}
            )
