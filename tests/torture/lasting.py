"""Simulated clouds that can be killed: what one was told is told to it again when it comes back."""

from __future__ import annotations

import copy
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple, TypeVar

from tests.federation.opennebula import OnedSimulator
from tests.federation.openstack.controller import OpenStackSimulator
from tests.federation.simulator import Simulator

L = TypeVar("L", bound="_Lasting")


class _Lasting(Simulator):
    """Keeps what it was told, and tells it anew at each start, in the same order."""

    kept: FrozenSet[str]
    """The verbs that change the site."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._history: List[Tuple[str, Dict[str, Any]]] = []

    def tell(self, verb: str, arguments: Optional[Mapping[str, Any]] = None) -> Any:
        """Carry out a verb, and remember it if it changes the site."""
        result = super().tell(verb, arguments)
        if verb in self.kept and arguments:
            self._history.append((verb, self.as_it_came(verb, copy.deepcopy(dict(arguments)), result)))
        return result

    def as_it_came(self, verb: str, arguments: Dict[str, Any], result: Any) -> Dict[str, Any]:
        """Return the arguments under which a verb gives the same result once more."""
        return arguments

    def command(self) -> List[str]:
        """Start it dumb: between its first breath and our first word it would deny everyone it knew."""
        return [*super().command(), "--dumb"]

    def start(self: L) -> L:
        """Start, and become again what it was; until then it answers nobody, for it would tell of half a cloud."""
        super().start()
        for verb, arguments in self._history:
            super().tell(verb, arguments)
        self.clear_faults()
        return self


class LastingCloud(_Lasting, OpenStackSimulator):
    """An OpenStack site that lasts: what it makes is made with the same ids."""

    kept = frozenset(
        ("create_project", "create_user", "create_flavor", "create_servers", "act", "purge", "clock", "grant")
    )

    def as_it_came(self, verb: str, arguments: Dict[str, Any], result: Any) -> Dict[str, Any]:
        """Return the arguments with the ids that came of them."""
        if verb == "create_servers":
            made = [{**entry, "id": key} for entry, key in zip(arguments["servers"], result)]
            return {**arguments, "servers": made}
        return {**arguments, "id": result} if verb.startswith("create_") else arguments


class LastingOned(_Lasting, OnedSimulator):
    """An oned that lasts: told the same in the same order, it gives the same ids."""

    kept = frozenset(
        (
            "latency",
            "create_group",
            "create_user",
            "create_rule",
            "create_vms",
            "act",
            "purge",
            "purge_history",
            "clock",
        )
    )
