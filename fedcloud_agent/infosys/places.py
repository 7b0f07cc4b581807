"""Where an entry stands in the order of the keys: what it names, and what is above it, comes before it."""

from __future__ import annotations

_PLACES = {
    "o": 0,
    "GLUE2DomainID": 1,
    "GLUE2GroupID": 2,
    "GLUE2LocationID": 3,
    "GLUE2ContactID": 3,
    "GLUE2ServiceID": 4,
    "GLUE2ManagerID": 5,
    "GLUE2ResourceID": 6,
    "GLUE2EndpointID": 7,
    "GLUE2StorageAccessProtocolID": 7,
    "GLUE2StorageServiceCapacityID": 7,
    "GLUE2ApplicationEnvironmentID": 8,
    "GLUE2ShareID": 9,
    "GLUE2PolicyID": 10,
}

_LAST = max(_PLACES.values())
_ALONE = frozenset({"GLUE2ResourceID", "GLUE2StorageServiceCapacityID", "GLUE2ApplicationEnvironmentID"})


def place_of(dn: str) -> int:
    """Return the place of an entry: those with one place neither name nor hold one another.

    Entries are added place by place, upwards, and deleted downwards: then no reader meets a key to nothing.
    """
    return _PLACES.get(dn.partition("=")[0], _LAST)


def is_alone(dn: str) -> bool:
    """Tell whether an entry may come or go by itself.

    The others have companions without which the rules do not want them (an endpoint its policy, a service its
    manager): they come and go with a whole tree, or readers would meet one without the other.
    """
    return dn.partition("=")[0] in _ALONE
