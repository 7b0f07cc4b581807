"""Which methods there are, since which version, what they take, and which function answers."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Protocol, Tuple, Union

from tests.federation.opennebula.inventory import Inventory
from tests.federation.opennebula.machines import Machines
from tests.federation.opennebula.people import People, User
from tests.federation.opennebula.profiles import Profile
from tests.federation.opennebula.stencil import Stencils
from tests.federation.opennebula.wire import Xml

Value = Union[str, int, bool, Xml]


class SiteLike(Protocol):
    """What the functions behind the methods see of the site."""

    profile: Profile
    people: People
    inventory: Inventory
    machines: Machines
    served: int
    largest: int
    image_polls: int

    def stencils(self) -> Stencils:
        """Return what writes the machines of the fleet."""


class Asked(NamedTuple):
    """One call: the site, who calls, and the arguments behind the session."""

    site: SiteLike
    user: User
    method: str
    arguments: List[Any]


class Method(NamedTuple):
    """``signature``: a letter per argument (i, s, b, a), those behind ``[`` may be missing."""

    signature: str
    since: Tuple[int, ...]
    answer: Callable[[Asked], Value]


METHODS: Dict[str, Method] = {}


def method(
    name: str, signature: str, since: str = "3.2"
) -> Callable[[Callable[[Asked], Value]], Callable[[Asked], Value]]:
    """Put a function behind a method."""

    def register(answer: Callable[[Asked], Value]) -> Callable[[Asked], Value]:
        METHODS[f"one.{name}"] = Method(signature, tuple(int(part) for part in since.split(".")), answer)
        return answer

    return register


def found(profile: Profile, name: str) -> Optional[Method]:
    """Return a method that this version has."""
    known = METHODS.get(name)
    return known if known is not None and profile.since(*known.since) else None
