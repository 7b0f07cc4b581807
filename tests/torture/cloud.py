"""A simulated cloud that can be killed: what it was told is told to it again when it comes back."""

from __future__ import annotations

import contextlib
import copy
from typing import Any, Dict, List, Mapping, Optional, Tuple

from tests.federation.openstack.controller import OpenStackSimulator

_MAKES = {"create_project", "create_user", "create_flavor"}
_TOLD = _MAKES | {"create_servers", "act", "purge", "clock", "grant"}


class LastingCloud(OpenStackSimulator):
    """Keeps what it was told, with the ids that came of it, and tells it anew at each start."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._history: List[Tuple[str, Dict[str, Any]]] = []

    def tell(self, verb: str, arguments: Optional[Mapping[str, Any]] = None) -> Any:
        """Carry out a verb, and remember it if it changes the site."""
        result = super().tell(verb, arguments)
        if verb in _TOLD and arguments:
            kept = copy.deepcopy(dict(arguments))
            if verb in _MAKES:
                kept["id"] = result
            elif verb == "create_servers":
                kept["servers"] = [{**entry, "id": made} for entry, made in zip(kept["servers"], result)]
            self._history.append((verb, kept))
        return result

    def command(self) -> List[str]:
        """Start it dumb: between its first breath and our first word it would deny everyone it knew."""
        return [*super().command(), "--dumb"]

    def start(self) -> LastingCloud:
        """Start, and become again what it was; until then it answers nobody, for it would tell of half a cloud."""
        super().start()
        for verb, arguments in self._history:
            super().tell(verb, copy.deepcopy(arguments))
        self.clear_faults()
        return self

    def kill(self) -> None:
        """End it at once."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None
        super().kill()
